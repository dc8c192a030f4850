"""What reports share: their query, how the database is asked, how they are answered."""
