"""Reports of what a shop sells, counted from the events of its orders and refunds: customers and products."""
