"""`tjra up`: everything in one command."""
