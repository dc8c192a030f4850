"""Reports of what a shop sells: GET /customers, /customers/cohorts, /customers/best and /products."""
