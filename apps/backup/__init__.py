"""`tjra backup`, `tjra restore` and `tjra psql`, with PostgreSQL's programs; a backup also has the queue's messages."""
