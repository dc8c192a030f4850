"""Who may do what, on the port that is public."""
