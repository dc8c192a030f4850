"""Rules that files keep: the house, the SQL, Compose, the recipes."""
