"""Sites: setting a timezone, and deleting a site."""
