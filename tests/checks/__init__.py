"""Reading SQL, and what Schemathesis loads."""
