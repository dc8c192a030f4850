"""Pages without an SDK: our script, and an image where scripts are off."""
