"""Receive an SDK's request and queue its events as POST /events does, with the same limits and the same promise.

An invalid event is dropped and counted, and the others are queued: an SDK discards all events of a refused request.
"""

import logging
from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from litestar import Request

from actors.queue.first_seen import first_times
from actors.queue.producer import QueueUnavailable
from apps.events.admission import Excluded, Sender
from apps.events.metrics import QUEUE_UNAVAILABLE, SDK_BOT_EVENTS, SDK_EVENTS_CUT, SDK_EVENTS_DROPPED, count_refusal
from apps.events.validation import Batch
from apps.origins.deriving import NOTHING, Browser
from apps.sdks.shared.bots import carries_money, is_bot
from apps.sdks.shared.caller import Caller, caller_of
from apps.sdks.shared.clock_skew import time_of
from apps.sdks.shared.resources import SdkResources, sdks_of
from apps.sdks.shared.sdk_event import Parser, SentEvent
from apps.sdks.shared.senders import Senders
from apps.sdks.shared.to_event import Dropped, event_id, to_event, visitor_of_day
from apps.web.problems import Refusal, refuse
from apps.web.request_body import read_body
from apps.web.slices import Slices
from db.events.event import Event, receive
from db.events.ids import id_with_key, id_without_key
from db.events.reasons import sentence
from db.events.tolerant_json import UNREADABLE

logger = logging.getLogger(__name__)

#: Bytes of a body, before and after decompression: PostHog's SDKs send up to 6 MiB.
BODY_BYTES = 8 * 1024 * 1024
#: The outcome of a bot's events by the setting BOTS; events with an amount of money are marked instead of dropped.
OUTCOMES = {"drop": "dropped", "mark": "marked", "keep": "kept"}


class Outcome(NamedTuple):
    """The outcome of a request."""

    message_id: str | None
    """The id of the message with its events; None if no event was queued."""
    events: dict[str, bool]
    """Whether an event was queued, by the id that the SDK gave it."""
    size: int
    """Number of events in the request."""


async def receive_events(
    request: Request[Any, Any, Any], protocol: str, parse: Parser, *, refuse_unknown_keys: bool = True
) -> Outcome:
    """Queue the events of a request; return once the queue has them. Raises Refusal and QueueUnavailable."""
    caller, sdks = caller_of(request.scope), sdks_of(request)
    try:
        senders = Senders(sdks, caller)
        timeout = sdks.events.settings.body_timeout_seconds
        body = await read_body(request.scope, request.receive, limit=BODY_BYTES, timeout=timeout)
        browser = sdks.events.deriving.browser(request.scope)
        sdk_request = SdkRequest(sdks, caller, senders, await _parsed(parse, body, caller), browser)
        if refuse_unknown_keys:
            sdk_request.check_keys()
    except Refusal as refusal:
        count_refusal(refusal)
        raise
    try:
        await sdk_request.validate()
    except QueueUnavailable:
        QUEUE_UNAVAILABLE.inc(len(sdk_request.sent))
        raise
    except Refusal as refusal:
        count_refusal(refusal)
        raise
    batch = sdk_request.batch
    message_id = await sdks.events.batcher.put(batch.events(), batch.counts) if batch.accepted else None
    # Only after the queue has the valid events: if it fails, the SDK sends all of them again.
    sdk_request.count(protocol)
    return Outcome(message_id, sdk_request.queued, len(sdk_request.sent))


class SdkRequest:
    """The events of one request."""

    def __init__(
        self,
        sdks: SdkResources,
        caller: Caller,
        senders: Senders,
        sent: list[SentEvent | None],
        browser: Browser,
    ) -> None:
        self.sdks = sdks
        self.browser = browser
        self.senders = senders
        self.window = sdks.events.validator.window
        self.caller = caller
        self.sent = sent
        self.now = datetime.now(UTC)
        self.batch = Batch(self.now)
        self.queued: dict[str, bool] = {}
        self.drops: Counter[str] = Counter()
        self.cuts: Counter[str] = Counter()
        self.from_bots: Counter[str] = Counter()

    def check_keys(self) -> None:
        """Raises Refusal (401, 403) if no event has the key of a site."""
        if given := [one.key for one in self.sent if one]:
            self.senders.check(given)

    async def validate(self) -> None:
        """Put valid events into the batch, and count the reasons of the others. Raises QueueUnavailable."""
        salt = b""
        if any(one and one.by_visitor and not one.visitor_id for one in self.sent):
            salt = await self.sdks.daily_salt.at(self.now)
        events, slices = [], Slices()
        for one in self.sent:
            try:
                events.append((one, *self._event(one, salt)))
            except Dropped as reason:
                self._drop(one, str(reason))
            await slices.pause()
        await self._set_times([(event, sender) for _, event, sender in events])
        for one, event, sender in events:
            try:
                received = receive(event, now=self.now, window=self.window)
                self.sdks.events.admission.admit(received, sender)
                self.sdks.events.deriving.complete(received, self.browser, one.told if one else NOTHING)
            except ValueError:
                self._drop(one, "timestamp")
            except Excluded as excluded:
                self._drop(one, excluded.reason)
            else:
                self.batch.add(received)
                self._record(one, queued=True)

    def count(self, protocol: str) -> None:
        """Count dropped events, shortened fields, and events of bots."""
        for reason, number in self.drops.items():
            SDK_EVENTS_DROPPED.labels(protocol, reason).inc(number)
        for field, number in self.cuts.items():
            SDK_EVENTS_CUT.labels(protocol, field).inc(number)
        for outcome, number in self.from_bots.items():
            SDK_BOT_EVENTS.labels(protocol, outcome).inc(number)
        if self.drops:
            drops = ", ".join(f"{number} for {reason}" for reason, number in self.drops.items())
            logger.debug("%s: of %d events these were dropped: %s", protocol, len(self.sent), drops)

    def _event(self, one: SentEvent | None, salt: bytes) -> tuple[Event, Sender]:
        """The validated event, and who sends it. Raises Dropped."""
        if one is None:
            raise Dropped("event")
        if one.ignored:
            raise Dropped(one.ignored)
        place = self.senders.place(one.key)
        if place is None or not place.is_of_key:
            raise Dropped("key")
        site_id = place.site
        bot = is_bot(visitor=one.user_agent, caller=self.caller.user_agent)
        outcome = self._outcome(one) if bot else None
        if outcome:
            self.from_bots[outcome] += 1
        if outcome == OUTCOMES["drop"]:
            raise Dropped("bot")
        given_id = event_id(one.message_id)
        time = time_of(one, given_id, now=self.now, window=self.window)
        visitor_id = one.visitor_id
        if not visitor_id and one.by_visitor:
            trusted = place.sender.holder is not None
            visitor_id = visitor_of_day(salt, site_id, one, self.caller, trusted=trusted, time=time, now=self.now)
        event, cut = to_event(
            one,
            site_id,
            event_id=given_id,
            visitor_id=visitor_id,
            time=time,
            bot=outcome == OUTCOMES["mark"],
            now=self.now,
            window=self.window,
        )
        self.cuts.update(cut)
        return event, place.sender

    async def _set_times(self, events: list[tuple[Event, Sender]]) -> None:
        """Set a missing timestamp to the event's first arrival, so that a resend gets the same one.

        Not needed for an event without an id, which gets both when it is received, nor for a UUIDv7, which has a time.
        """
        undated = [
            (event, sender)
            for event, sender in events
            if event.timestamp is None and event.event_id and event.event_id.version != 7
        ]
        if undated:
            names = [_name(event, sender) for event, sender in undated]
            firsts = await first_times(self.sdks.events.producer, names, self.now)
            for (event, _), first in zip(undated, firsts, strict=True):
                event.timestamp = first

    def _outcome(self, one: SentEvent) -> str:
        """The outcome of a bot's event."""
        bots = self.sdks.bots
        return OUTCOMES["mark" if bots == "drop" and carries_money(one) else bots]

    def _drop(self, one: SentEvent | None, reason: str) -> None:
        self.drops[reason] += 1
        self._record(one, queued=False)

    def _record(self, one: SentEvent | None, *, queued: bool) -> None:
        if one and isinstance(one.message_id, str):
            self.queued[one.message_id] = queued


def _name(event: Event, sender: Sender) -> str:
    """What stands for an event with an id: another thing if it came with a secret key, so that nobody dates those."""
    event_id = str(event.event_id)
    return f"{event.site_id} {id_with_key(event_id) if sender.holder else id_without_key(event_id)}"


async def _parsed(parse: Parser, body: bytes, caller: Caller) -> list[SentEvent | None]:
    sent, slices = [], Slices()
    try:
        for one in parse(body, caller):
            sent.append(one)
            await slices.pause()
        return sent
    except UNREADABLE as error:
        raise refuse(HTTPStatus.BAD_REQUEST, f"the body cannot be read: {sentence(error)}") from None
