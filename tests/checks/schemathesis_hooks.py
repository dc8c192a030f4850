"""What Schemathesis loads before it runs (schemathesis.toml)."""

from typing import Any

import schemathesis
from hypothesis import Phase, settings

# To optimise for a target, which is how much is accepted, takes several times what all other phases take.
settings.register_profile("fast", phases=set(Phase) - {Phase.explain, Phase.target})
settings.load_profile("fast")


@schemathesis.serializer("application/x-ndjson")
def lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """A body in a media type that Schemathesis does not know: the text as it is."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@schemathesis.hook
def filter_query(_: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    """No single value in place of event types: in a query it is a text when it arrives, and so a list of one."""
    return all(isinstance((query or {}).get(name, []), list) for name in ("event_type", "refund_type"))
