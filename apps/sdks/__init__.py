"""Endpoints for existing SDKs: Segment, RudderStack, Jitsu, PostHog, Plausible and Umami.

Each protocol (segment, posthog, plausible, umami) has a parser that turns requests into SentEvents; shared/receive.py
queues them as POST /events does, and shared/responses.py has the responses that the SDKs expect. Pages without an SDK
use a script (pages/tracker.js) or an image.
"""
