"""For which site an event of an SDK is, and whether it came with a secret write key.

That key may be wherever the SDK puts its write key: in a header, or in the message. It stands for its site if it has
only one; otherwise the message names the site.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from apps.access.credentials import insufficient
from apps.events.admission import Sender
from apps.sdks.shared.caller import Caller
from apps.sdks.shared.resources import SdkResources
from apps.web.problems import Refusal, refuse
from db.access.scopes import Scope
from db.access.tokens import is_meant_as_key


class Place(NamedTuple):
    """The site of an event and who sends it."""

    site: str
    sender: Sender

    @property
    def is_of_key(self) -> bool:
        """Whether the sender's key, if there is one, is for the site."""
        return self.sender.holder is None or self.sender.holder.sees(self.site)


class Senders:
    """Of one request. Raises Refusal (401, 403, 503) if the key in its header may not send events."""

    def __init__(self, sdks: SdkResources, caller: Caller) -> None:
        self.sdks = sdks
        self.admission = sdks.events.admission
        self.caller = caller
        self.public = Sender(None, caller.origin)
        self.of_header = self._secret(caller.secret) if caller.secret else None
        #: The senders by the secret keys in messages; None: not valid.
        self.of_messages: dict[str, Sender | None] = {}

    def place(self, key: Any) -> Place | None:
        """The place of an event with this key, or None. Raises Refusal (503)."""
        if is_meant_as_key(key):
            return self._of_secret(key)
        if self.of_header is None:
            site = self.sdks.site(key)
            return Place(site, self.public) if site else None
        if not isinstance(key, str) or not key:
            return _only_place(self.of_header)
        site = self.sdks.keys.site(key) or key
        return Place(site, self.of_header) if self.admission.is_registered(site) else None

    def check(self, keys: Sequence[Any]) -> None:
        """Raises Refusal if no event has a place: 401, or 403 if the secret key is for other sites."""
        places = [self.place(key) for key in keys]
        if not any(places):
            raise self._refusal(keys)
        if not any(place and place.is_of_key for place in places):
            site = next(place.site for place in places if place)
            raise insufficient(f"the key is not for the site {site!r}", Scope.EVENTS_WRITE)

    def _refusal(self, keys: Sequence[Any]) -> Refusal:
        for key in (self.caller.secret, *keys):
            if is_meant_as_key(key):
                self._secret(key)  # raises why it is not valid
                if key != self.caller.secret or not any(keys):
                    return refuse(HTTPStatus.UNAUTHORIZED, "the key is for several sites, and the message names none")
        return self.sdks.no_site(*keys)

    def _of_secret(self, key: str) -> Place | None:
        if key not in self.of_messages:
            try:
                self.of_messages[key] = self._secret(key)
            except Refusal as refusal:
                if refusal.problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
                self.of_messages[key] = None
        sender = self.of_messages[key]
        return _only_place(sender) if sender else None

    def _secret(self, secret: str) -> Sender:
        return Sender(self.admission.holder(secret), self.caller.origin)


def _only_place(sender: Sender) -> Place | None:
    sites = sender.holder.sites if sender.holder else None
    return Place(next(iter(sites)), sender) if sites and len(sites) == 1 else None
