"""The SDKs that people already have: Segment, RudderStack, Jitsu, PostHog, Plausible and Umami, pointed here.

A parser a protocol (segment, posthog, plausible, umami) says what each event means (sent); intake takes them the way
of POST /events. SDKs are particular about what they are answered (answers). For pages without an SDK there is a script
(tracker.js) and an image.
"""
