"""PostgreSQL: settings, the event model, the SQL files, connection pools, migrations, and the queries by area."""
