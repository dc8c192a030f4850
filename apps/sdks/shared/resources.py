"""Resources of the SDK handlers: created by the app and kept in its state."""

from http import HTTPStatus
from typing import Any, cast

from litestar import Request

from actors.queue.visitor_salt import DailySalt
from apps.events.resources import EventResources
from apps.sdks.shared.site_keys import Keys
from apps.web.problems import Refusal, refuse
from db.access.tokens import is_meant_as_key


class SdkResources:
    """The event resources with what only SDKs need: site keys, the BOTS setting, the daily salt."""

    def __init__(self, events: EventResources) -> None:
        self.events = events
        self.keys = Keys(events.settings.site_keys)
        self.bots = events.settings.bots
        self.daily_salt = DailySalt(events.producer)

    def site(self, key: object) -> str | None:
        """The site of a public key, if it may have events, or None. Raises Refusal (503)."""
        if is_meant_as_key(key):
            return None
        site = self.keys.site(key)
        return site if site and self.events.admission.is_registered(site) else None

    def check_key(self, *given: object) -> None:
        """Raises Refusal (401) if none of these is the public key of a site."""
        if not any(self.site(key) for key in given):
            raise self.no_site(*given)

    def no_site(self, *given: object) -> Refusal:
        """The Refusal (401) of keys that are those of no site."""
        known = "one of SITE_KEYS" if self.keys.sites else "that of a registered site"
        reason = f"is unknown: it should be {known}" if any(given) else "is missing"
        return refuse(HTTPStatus.UNAUTHORIZED, f"the key of the site {reason}")


def sdks_of(request: Request[Any, Any, Any]) -> SdkResources:
    """The resources of the app that handles this request."""
    return cast("SdkResources", request.app.state.sdks)
