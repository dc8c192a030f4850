"""PostgreSQL and Redis of our own, from wheels, for `tjra up` and the tests; their programs are driven directly."""
