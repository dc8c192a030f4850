"""PostgreSQL's home: settings, the models that travel, the SQL files, the pools, migrations and the queries by area."""
