"""The reporting app's connections to PostgreSQL."""

from db.pools import read_pool
from db.settings import load

#: A report takes milliseconds of one.
CONNECTIONS = 8

pool = read_pool(load().required("database_url"), connections=CONNECTIONS)
