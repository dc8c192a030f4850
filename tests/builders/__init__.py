"""What tests are made of: events, calls of SDKs, browsers."""
