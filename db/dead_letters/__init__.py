"""Reading, replaying and discarding dead letters."""
