-- The database's time now, not that of the begin of the transaction.
select clock_timestamp()
