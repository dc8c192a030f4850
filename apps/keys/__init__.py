"""Keys and logins of the reporting app: their endpoints, the login page, and whom a credential stands for."""
