"""The reports: one module each, with its rows as Structs and the function that asks; `ranges` and `filters` for all."""
