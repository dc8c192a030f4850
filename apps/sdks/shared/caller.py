"""The sender of a request, from its headers and URL."""

from typing import Any, NamedTuple
from urllib.parse import parse_qs

from apps.access.credentials import basic_pair
from db.access.tokens import is_meant_as_key


class Caller(NamedTuple):
    """The sender of a request."""

    secret: str | None
    """A key of ours (`tjra_...`), wherever one of the next three has it; it is then in none of them."""
    basic: str | None
    """The user of basic authorization."""
    bearer: str | None
    write_key: str | None
    """X-Write-Key up to its colon; Jitsu puts the secret part after it."""
    origin: str | None
    """The page's, if a browser sends it."""
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
    given = (
        (basic_pair(credentials)[0] or None) if scheme.lower() == "basic" else None,
        credentials.strip() if scheme.lower() == "bearer" else None,
        headers.get(b"x-write-key", "").partition(":")[0] or None,
    )
    basic, bearer, write_key = (None if is_meant_as_key(one) else one for one in given)
    return Caller(
        secret=next(filter(is_meant_as_key, given), None),
        basic=basic,
        bearer=bearer,
        write_key=write_key,
        origin=headers.get(b"origin"),
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
