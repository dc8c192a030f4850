"""Keys, logins and the audit: who may do what, and what was done."""
