"""The reports of the reporting app: a module each, with its query, its example and its handler."""
