"""Segment's protocol, which RudderStack and Jitsu use too."""
