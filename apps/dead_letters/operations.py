"""Replaying and discarding dead letters: the workers do it, and the outcome is returned within some seconds."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from uuid_utils.compat import uuid7

from actors.dead_letters import queue_discard, queue_replay
from apps.dead_letters import sample
from apps.events.validation import EventValidator, encode
from apps.reporting_resources import ReportingResources
from apps.web.problems import refuse
from db.access import audit
from db.connections.pools import ReadConnection
from db.dead_letters.read import DeadLetter, LetterFilter, list_letters, outcomes, read_letter
from db.events.errors import field_errors
from db.events.event import receive
from db.events.tolerant_json import UNREADABLE

#: How many letters one request may be about.
MAX_LETTERS = 1_000


class Outcome(msgspec.Struct, kw_only=True):
    """What became of the dead letters that a request was about."""

    letters: Annotated[int, Meta(description="How many matched, of at most 1,000 a request.", examples=[3])]
    stored: Annotated[int, Meta(description="Their events are stored now.", examples=[2])] = 0
    duplicate: Annotated[int, Meta(description="Their events had been stored before.", examples=[1])] = 0
    dead: Annotated[int, Meta(description="They could not be stored this time either.", examples=[0])] = 0
    discarded: Annotated[int, Meta(description="They are discarded.", examples=[0])] = 0
    waiting: Annotated[int, Meta(description="No worker has got to them yet; it will.", examples=[0])] = 0


async def show(resources: ReportingResources, letter_id: UUID) -> DeadLetter:
    """The letter with this id. Raises Refusal (404)."""
    if letter_id == sample.HEAD.id:
        return sample.LETTER
    letter = await resources.read(partial(read_letter, letter_id=letter_id))
    if letter is None:
        raise refuse(HTTPStatus.NOT_FOUND, f"there is no dead letter {letter_id}")
    return letter


async def replay(
    resources: ReportingResources, letter_id: UUID, event: bytes | None = None, *, by: str
) -> tuple[DeadLetter, Outcome]:
    """Store the event of a dead letter, or in its place the one that `event` holds, as a client would send it.

    What that one leaves out of `event_id` and `timestamp`, it has from the letter. Raises Refusal (400, 404).
    """
    letter = await show(resources, letter_id)
    replacement = _replacement(event, letter, EventValidator(resources.settings)) if event else None
    if letter is sample.LETTER:
        return letter, Outcome(letters=0)
    request = uuid7()
    await _note(resources, by, "dead_letters.replay", {"letter": letter_id, "with_event": bool(event)})
    await queue_replay(resources.producer, [letter_id], request=request, event=replacement)
    outcome = await _outcome(resources, [letter_id], request)
    return await show(resources, letter_id), outcome


async def discard(resources: ReportingResources, letter_id: UUID, *, by: str) -> tuple[DeadLetter, Outcome]:
    """Discard a dead letter. Raises Refusal (404)."""
    letter = await show(resources, letter_id)
    if letter is sample.LETTER:
        return letter, Outcome(letters=0)
    request = uuid7()
    await _note(resources, by, "dead_letters.discard", {"letter": letter_id})
    await queue_discard(resources.producer, [letter_id], request=request)
    outcome = await _outcome(resources, [letter_id], request)
    return await show(resources, letter_id), outcome


async def replay_all(resources: ReportingResources, which: LetterFilter, *, by: str, dry_run: bool = False) -> Outcome:
    """Replay up to 1,000 letters that match, the newest first; dead ones where no state is given."""
    request = uuid7()
    letter_ids = await _matching(resources, which)
    if dry_run:
        return Outcome(letters=len(letter_ids))
    if letter_ids:
        await _note(resources, by, "dead_letters.replay", _chosen(which, letter_ids))
        await queue_replay(resources.producer, letter_ids, request=request)
    return await _outcome(resources, letter_ids, request)


async def discard_all(resources: ReportingResources, which: LetterFilter, *, by: str, dry_run: bool = False) -> Outcome:
    """Discard up to 1,000 letters that match, the newest first."""
    request = uuid7()
    letter_ids = await _matching(resources, which)
    if dry_run:
        return Outcome(letters=len(letter_ids))
    if letter_ids:
        await _note(resources, by, "dead_letters.discard", _chosen(which, letter_ids))
        await queue_discard(resources.producer, letter_ids, request=request)
    return await _outcome(resources, letter_ids, request)


async def _note(resources: ReportingResources, by: str, action: str, details: Mapping[str, Any]) -> None:
    async def note(conn: ReadConnection) -> None:
        await audit.note(conn, by, action, details)

    await resources.read(note)


def _chosen(which: LetterFilter, letter_ids: Sequence[UUID]) -> dict[str, Any]:
    """What the audit has of the letters of a request; a text in their errors may be of a person."""
    chosen = {name: value for name, value in msgspec.structs.asdict(which).items() if value is not None}
    chosen.pop("dry_run", None)
    return chosen | {"letters": len(letter_ids)} | ({"error": "..."} if "error" in chosen else {})


async def _matching(resources: ReportingResources, which: LetterFilter) -> list[UUID]:
    which = msgspec.structs.replace(which, state=which.state or "dead")
    page = await resources.read(partial(list_letters, which=which, limit=MAX_LETTERS))
    return [letter.id for letter in page.dead_letters]


async def _outcome(resources: ReportingResources, letter_ids: Sequence[UUID], request: UUID) -> Outcome:
    """What becomes of the letters within some seconds."""

    async def look() -> Outcome:
        counts: dict[Any, int] = dict(await resources.read(partial(outcomes, letter_ids=letter_ids, request=request)))
        return Outcome(letters=len(letter_ids), waiting=len(letter_ids) - sum(counts.values()), **counts)

    return await resources.wait_for_worker(look, lambda seen: not seen.waiting)


def _replacement(body: bytes, letter: DeadLetter, validator: EventValidator) -> bytes:
    now = letter.received_at or datetime.now(UTC)
    try:
        event = validator.decode(body)
        if event.event_id is None:
            event.event_id = letter.event_id
        if event.timestamp is None:
            event.timestamp = _timestamp(letter)
        return encode(receive(event, now=now, window=validator.window))
    except UNREADABLE:
        errors = field_errors(body, now=now, window=validator.window)
        raise refuse(HTTPStatus.BAD_REQUEST, "the event is not valid", errors=errors) from None


class _Timed(msgspec.Struct):
    timestamp: Annotated[datetime, Meta(tz=True)]


def _timestamp(letter: DeadLetter) -> datetime | None:
    try:
        return msgspec.json.decode(letter.payload, type=_Timed).timestamp
    except UNREADABLE:
        return None
