"""The commands of `tjra`: a module each."""
