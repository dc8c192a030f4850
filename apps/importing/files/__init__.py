"""Reading files: their formats, encodings and compression."""
