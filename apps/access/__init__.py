"""Who may do what: keys, logins, the guard of all routes, and the pages and endpoints to manage them."""
