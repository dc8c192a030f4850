"""The ingestion app, the reporting app and the command line `tjra`."""
