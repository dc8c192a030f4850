"""Who sends events, and what the settings of their sites say: which are refused, marked, or given a currency.

An event without a secret key of a site whose orders need one is taken, but marked if it could count as an order or a
refund (MARK): the reports do not count it then. Nobody who has no such key can remove the mark.

An event with a secret key has an id that no other can have (id_with_key): nobody without a key makes it a duplicate by
sending its id first.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from apps.access.credentials import basic_pair, insufficient, invalid, malformed
from apps.access.snapshots import Known, Snapshots, unknown
from apps.events.given import is_given
from apps.events.validation import Batch
from apps.web.problems import Refusal, refuse
from db.access.scopes import Identity, Scope
from db.access.tokens import is_key, is_meant_as_key
from db.events.errors import FieldError
from db.events.event import ReceivedEvent
from db.events.ids import id_with_key
from db.reports.revenue import ORDERS, REFUNDS
from db.settings import Settings

#: The property of events that no secret key came with.
MARK = "public_key"
SALES = frozenset((*ORDERS, *REFUNDS))
#: The properties that have an order's amount: without one no event of any type can count as an order.
AMOUNTS = ("revenue", "total", "value")
#: Parameters by which programs send a key where they may, and where it goes here.
NAMES_OF_KEYS = frozenset(("key", "api_key", "apikey", "token", "access_token", "admin_key"))
#: Headers in which programs send keys; here only the first is for them, the others are an SDK's or nobody's.
AUTHORIZATION = b"authorization"
HEADERS_OF_KEYS = frozenset((AUTHORIZATION, b"x-write-key", b"x-api-key", b"api-key", b"x-auth-token"))
KEY_IN_HEADER = "the header `Authorization: Bearer tjra_...`; events need no key"
REGISTERED = "a registered site: `PUT /sites/{site_id}`, `tjra site set`"


class Sender(NamedTuple):
    """Who sends a request, as far as it is about events."""

    holder: Identity | None = None
    """Of a secret write key; None: there is none."""
    origin: str | None = None
    """The page's, if a browser sends it and some site names its pages."""


#: A program without a key.
PUBLIC = Sender()


class Excluded(Exception):
    """An event is not taken; `reason` is the label of the metrics."""

    def __init__(self, reason: str, error: FieldError, refusal: Refusal) -> None:
        super().__init__(error.reason)
        self.reason = reason
        self.error = error
        self.refusal = refusal


class Admission:
    """The rules of one ingestion app."""

    def __init__(self, settings: Settings, snapshots: Snapshots) -> None:
        self.snapshots = snapshots
        self.only_registered = settings.sites == "registered"

    def sender(self, scope: Any) -> Sender:
        """Who sends a request. Raises Refusal: 400 if a key is where none goes, 401 if it is not valid, 403, 503."""
        holder = origin = None
        if scope["query_string"]:
            _check_url(scope["query_string"])
        for name, _ in scope["headers"]:  # in a loop, as most requests have none
            if name in HEADERS_OF_KEYS:
                secret = _key_in([header for header in scope["headers"] if header[0] in HEADERS_OF_KEYS])
                holder = None if secret is None else self.holder(secret)
                break
        known = self.snapshots.known
        if known and known.has_origins:
            origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        return PUBLIC if holder is origin is None else Sender(holder, origin)

    def holder(self, secret: str) -> Identity:
        """Whom a secret write key stands for. Raises Refusal (401, 403, 503)."""
        holder = self.snapshots.required().holder("key", secret) if is_key(secret) else None
        if holder is None:
            raise invalid("; a new one is known here within ten seconds")
        if not holder.may(Scope.EVENTS_WRITE):
            raise insufficient(f"the key lacks the scope {Scope.EVENTS_WRITE}", Scope.EVENTS_WRITE)
        return holder

    def is_registered(self, site: str) -> bool:
        """Whether a site may have events by SITES. Raises Refusal (503) if that is not known."""
        return not self.only_registered or site in self.snapshots.required().sites

    def has_rules(self, sender: Sender, site: str) -> bool:
        """Whether there is anything to judge in what it sends of a site; `admit` need not be called otherwise."""
        known = self.snapshots.known
        return (
            sender.holder is not None
            or known is None
            or known.has_rules
            or self.only_registered
            or is_meant_as_key(site)
        )

    def admit(self, event: ReceivedEvent, sender: Sender) -> None:
        """Let an event in, marked or completed if its site wants that. Raises Excluded, and Refusal (503)."""
        site = event.site_id
        if is_meant_as_key(site):
            raise _is_a_key()
        if sender.holder is not None:
            if not sender.holder.sees(site):
                raise _not_of_the_key(site)
            # An id of its own also if we made it: one that was told in a response may be sent again by anybody.
            event.event_id, event.id_made = id_with_key(event.event_id), False
            if event.properties and MARK in event.properties:
                event.properties = {name: value for name, value in event.properties.items() if name != MARK}
        known = self.snapshots.known
        if known is None:
            # What could be forged has to wait for a worker: a few seconds after the very first start.
            if self.only_registered or (sender.holder is None and _may_be_sale(event)):
                raise unknown()
            return
        self._by_site(event, sender, known)

    def admit_batch(self, batch: Batch, sender: Sender) -> None:
        """As `admit` for each accepted event of a batch; the others are rejected. Raises Refusal (400, 503)."""
        if not any(self.has_rules(sender, site) for site, _ in batch.counts):
            return
        excluded = {}
        for number, event in enumerate(batch.accepted):
            try:
                self.admit(event, sender)
            except Excluded as error:
                excluded[number] = [error.error]
        if excluded:
            batch.exclude(excluded)

    def _by_site(self, event: ReceivedEvent, sender: Sender, known: Known) -> None:
        rules = known.sites.get(event.site_id)
        if rules is None:
            if self.only_registered:
                raise _not_registered(event.site_id)
            return
        if rules.origins is not None and sender.origin is not None and sender.origin not in rules.origins:
            raise _from_elsewhere(event.site_id, sender.origin)
        if rules.retention_days is not None:
            earliest = event.received_at - timedelta(days=rules.retention_days)
            if event.timestamp < earliest:
                raise _expired(event, earliest)
        marked = rules.secret_orders and sender.holder is None
        if (marked or rules.currency) and _may_be_sale(event):
            properties = event.properties or {}
            if rules.currency and not is_given(properties.get("currency")):
                properties = properties | {"currency": rules.currency}
            event.properties = properties | {MARK: True} if marked else properties


def _may_be_sale(event: ReceivedEvent) -> bool:
    """Whether GET /revenue could count an event, also as one of other types of orders."""
    if event.event_type in SALES:
        return True
    properties = event.properties or {}
    return any(name in properties for name in AMOUNTS)


def _key_in(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The key in headers of HEADERS_OF_KEYS, or None. Raises Refusal (400).

    Who means to send a key never sends without one: whatever is `Bearer` has to be valid, a key elsewhere is refused.
    Basic authorization without one may be for a proxy in between, which passes it on.
    """
    keys = []
    for name, value in headers:
        text = value.decode("latin-1").strip()
        scheme, _, credentials = text.partition(" ")
        if name != AUTHORIZATION:
            if is_meant_as_key(text):
                raise malformed()
        elif scheme.lower() == "bearer":
            keys.append(credentials.strip())
        elif scheme.lower() == "basic":
            keys += filter(is_meant_as_key, basic_pair(credentials))
        elif is_meant_as_key(text) or is_meant_as_key(credentials) or (text and not credentials):
            raise malformed()
    if len(keys) > 1 or keys == [""]:
        raise malformed()
    return keys[0] if keys else None


def _check_url(query: bytes) -> None:
    """Raise Refusal (400) if a key is in the address: it would be ignored, and logs would have it."""
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name.casefold() in NAMES_OF_KEYS or is_meant_as_key(value):
            told = FieldError(field=name, reason="is a key in the address, which logs keep", allowed=KEY_IN_HEADER)
            raise refuse(HTTPStatus.BAD_REQUEST, "a key goes into the header, never into the address", [told])


def _not_of_the_key(site: str) -> Excluded:
    told = f"the key is not for the site {site!r}"
    error = FieldError(field="site_id", reason=f"is {site!r}: {told}", allowed="a site of the key")
    return Excluded("key", error, insufficient(told, Scope.EVENTS_WRITE))


def _is_a_key() -> Excluded:
    """Whoever takes a key for the site's id sends it to be stored, and shown in every report."""
    error = FieldError(field="site_id", reason="is a key, which nothing may show", allowed="the site's id")
    return Excluded("key", error, refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", [error]))


def _not_registered(site: str) -> Excluded:
    error = FieldError(field="site_id", reason=f"is {site!r}, which is not registered", allowed=REGISTERED)
    return Excluded("key", error, refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", [error]))


def _expired(event: ReceivedEvent, earliest: datetime) -> Excluded:
    reason = f"is {event.timestamp.isoformat()}: before {earliest.isoformat()}, the site keeps none for so long"
    error = FieldError(field="timestamp", reason=reason, allowed=f"from {earliest.isoformat()}, by retention_days")
    return Excluded("timestamp", error, refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", [error]))


def _from_elsewhere(site: str, origin: str) -> Excluded:
    told = f"pages of {origin} may not send events of the site {site!r}"
    error = FieldError(field="site_id", reason=f"is {site!r}: {told}", allowed="a site that has this page as an origin")
    return Excluded("origin", error, refuse(HTTPStatus.FORBIDDEN, told, [error]))
