"""PostHog's protocol."""
