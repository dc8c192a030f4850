"""The sites: GET /sites, and PUT /timezone."""
