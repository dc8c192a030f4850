"""Litestar's home: the ingestion app, the reporting app and the command line `tjra`."""
