"""Resources of the SDK handlers: created by the app and kept in its state."""

from http import HTTPStatus
from typing import Any, cast

from litestar import Request

from actors.queue.visitor_salt import DailySalt
from apps.events.resources import EventResources
from apps.sdks.shared.site_keys import Keys
from apps.web.problems import refuse


class SdkResources:
    """The event resources with what only SDKs need: site keys, the BOTS setting, the daily salt."""

    def __init__(self, events: EventResources) -> None:
        self.events = events
        self.keys = Keys(events.settings.site_keys)
        self.bots = events.settings.bots
        self.daily_salt = DailySalt(events.producer)

    def check_key(self, *given: object) -> None:
        """Raises Refusal (401) if none of these is the key of a site."""
        if not any(self.keys.site(key) for key in given):
            reason = "is unknown: it should be one of SITE_KEYS" if any(given) else "is missing"
            raise refuse(HTTPStatus.UNAUTHORIZED, f"the key of the site {reason}")


def sdks_of(request: Request[Any, Any, Any]) -> SdkResources:
    """The resources of the app that handles this request."""
    return cast("SdkResources", request.app.state.sdks)
