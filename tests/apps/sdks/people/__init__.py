"""Who is behind the events of SDKs: users, visitors, and nobody."""
