"""Reports of visits: what they were, and brought in, by where they came from, what with, and when."""
