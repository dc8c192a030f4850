"""The reports: one module each, with its rows as Structs and the function that makes its Report."""
