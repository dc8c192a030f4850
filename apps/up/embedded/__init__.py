"""Embedded PostgreSQL and Redis, from wheels, for `tjra up` and the tests; their programs are run directly."""
