"""Segment's protocol, which RudderStack and Jitsu speak too."""
