"""How the reporting app tells who sends a request: by a key, a login, a proxy's header, or not at all (AUTH=off)."""

from http import HTTPStatus
from typing import Any

from apps.access.credentials import credential_of, invalid, is_from_another_page, is_from_our_page
from apps.access.hosts import Hosts
from apps.access.proxies import Proxies
from apps.keys.verdicts import Verdicts
from apps.reporting_resources import ReportingResources
from apps.web.problems import Refusal, refuse
from db.access.scopes import ANYBODY, Identity

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LONGEST_NAME = 200


class ReportingAccess:
    """Who sends the requests to one reporting app."""

    def __init__(self, resources: ReportingResources) -> None:
        settings = resources.settings
        self.verdicts = Verdicts(resources)
        self.off = settings.auth == "off"
        self.hosts = Hosts(settings)
        self.proxy_header = (settings.auth_proxy_header or "").lower().encode()
        self.proxy_scopes = frozenset(scope.strip() for scope in settings.auth_proxy_scopes.split(","))
        self.proxies = Proxies(settings)

    async def identity(self, scope: Any) -> Identity | None:
        """Who sends a request; None if it carries no credential. Raises Refusal (400, 401, 403)."""
        safe = scope["method"] in SAFE_METHODS
        if self.off:
            self.hosts.check(scope)
            if not safe and is_from_another_page(scope):
                raise from_another_page()
            return ANYBODY
        credential = credential_of(scope)
        if credential and credential.kind == "key":
            return await self._holder(credential)
        identity = self._named_by_proxy(scope)
        if identity is None and credential:
            identity = await self._holder(credential)
        # A browser adds cookies by itself, also to a request that another page makes it send.
        if identity and not safe and not is_from_our_page(scope):
            raise from_another_page()
        return identity

    async def _holder(self, credential: Any) -> Identity:
        identity = await self.verdicts.of(credential)
        # The secret of a share link is no key: that would not ask for its password. It is swapped for a login.
        if identity is None or (identity.share and credential.kind == "key"):
            raise invalid()
        return identity

    def _named_by_proxy(self, scope: Any) -> Identity | None:
        if not self.proxy_header:
            return None
        names = [value.decode("utf-8", "replace") for name, value in scope["headers"] if name == self.proxy_header]
        if len(names) != 1 or not 0 < len(names[0]) <= LONGEST_NAME or not self.proxies.are_before(scope):
            return None
        self.hosts.check(scope, setting="AUTH_PROXY_HEADER")
        return Identity(name=names[0], scopes=self.proxy_scopes)


def from_another_page() -> Refusal:
    """The Refusal (403) of a request that a page of another origin made a browser send, or may have."""
    return refuse(
        HTTPStatus.FORBIDDEN,
        "with a login only pages of this origin may change anything (`Sec-Fetch-Site`, `Origin`); programs send a key",
    )
