"""The sender of a request, from its headers and URL."""

import binascii
from base64 import b64decode
from typing import Any, NamedTuple
from urllib.parse import parse_qs


class Caller(NamedTuple):
    """The sender of a request."""

    basic: str | None
    """The user of basic authorization."""
    bearer: str | None
    write_key: str | None
    """X-Write-Key up to its colon; Jitsu puts the secret part after it."""
    address: str
    """The client's; behind a trusted proxy (FORWARDED_ALLOW_IPS), uvicorn makes it that of the proxy's client."""
    user_agent: str
    query: dict[str, str]
    """The URL's parameters; a browser that leaves a page cannot set headers."""
    sent_at: str | None
    """PostHog-Request-Timestamp, by the sender's clock."""


def caller_of(scope: Any) -> Caller:
    """The caller of a request."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    scheme, _, credentials = headers.get(b"authorization", "").partition(" ")
    client = scope.get("client")
    return Caller(
        basic=_user(credentials) if scheme.lower() == "basic" else None,
        bearer=credentials.strip() if scheme.lower() == "bearer" else None,
        write_key=headers.get(b"x-write-key", "").partition(":")[0] or None,
        address=client[0] if client else "",
        user_agent=headers.get(b"user-agent", ""),
        query=_query(scope.get("query_string", b"")),
        sent_at=headers.get(b"posthog-request-timestamp"),
    )


def _query(text: bytes) -> dict[str, str]:
    """The parameters of a URL; the first one counts if one is repeated."""
    try:
        return {name: values[0] for name, values in parse_qs(text.decode("latin-1"), max_num_fields=100).items()}
    except ValueError:
        return {}


def _user(credentials: str) -> str | None:
    try:
        return b64decode(credentials).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
