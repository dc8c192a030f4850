"""`tjra import`: from a file to the ingestion API, one short module per step.

files (lines) -> csv_file, ndjson_file, access_log (records) -> row_events, access_log (events) -> event_ids -> sender.
"""
