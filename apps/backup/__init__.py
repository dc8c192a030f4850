"""`tjra backup`, `tjra restore` and `tjra psql`: by PostgreSQL's own programs, with the queue beside the database."""
