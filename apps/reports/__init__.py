"""The reports of the reporting app: a module each; `parameters` and `answers` are what they share."""
