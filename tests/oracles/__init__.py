"""What must be true: counted in other ways."""
