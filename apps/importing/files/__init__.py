"""Read files: formats, encodings and compression."""
