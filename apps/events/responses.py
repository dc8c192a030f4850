"""What POST /event and POST /events answer."""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from apps.events.salvage import MAX_NAMES
from apps.web.problems import Problem, Refusal
from db.events.errors import FieldError

#: Largest number of events in a response's list of ignored fields.
MAX_IGNORED = 100

IGNORED = (
    f"at most {MAX_NAMES} names of unknown fields (custom data belongs in `properties`) and of values that could not "
    "be stored: a property that is too long, or NaN, which becomes null."
)
IgnoredNames = Annotated[list[str], Meta(examples=[["revenue"]])]


class Accepted(msgspec.Struct, kw_only=True):
    """One event was queued."""

    status: Literal["queued"] = "queued"
    message: Annotated[str, Meta(examples=["Event received and queued for processing"])] = (
        "Event received and queued for processing"
    )
    event_id: Annotated[str, Meta(description="The client's id, or a generated one; an event sent again counts once.")]
    ignored_fields: Annotated[IgnoredNames | msgspec.UnsetType, Meta(description=f"If there are any: {IGNORED}")] = (
        msgspec.UNSET
    )


class Ignored(msgspec.Struct, kw_only=True):
    """The parts of a queued event in a batch that were ignored."""

    index: Annotated[int, Meta(description="The event's place in the batch, from 0.", examples=[3])]
    fields: Annotated[IgnoredNames, Meta(description=IGNORED)]


class Rejected(msgspec.Struct, kw_only=True):
    """An event of a batch that was refused; the others are not affected."""

    index: Annotated[int, Meta(description="The event's place in the batch, from 0.", examples=[7])]
    errors: Annotated[list[FieldError], Meta(description="Each invalid field.")]


class BatchAccepted(msgspec.Struct, kw_only=True):
    """At least one event of a batch was queued."""

    status: Literal["queued"] = "queued"
    accepted: Annotated[int, Meta(description="Number of queued events.", examples=[498])]
    rejected: Annotated[list[Rejected], Meta(description="The refused events; all others were queued.")]
    event_ids: Annotated[
        list[str | None] | msgspec.UnsetType,
        Meta(description="With `?ids=true`: the event ids in order, null for refused events."),
    ] = msgspec.UNSET
    ignored_fields: Annotated[
        list[Ignored] | msgspec.UnsetType,
        Meta(description=f"If there are any: the ignored parts of the first {MAX_IGNORED} events that have some."),
    ] = msgspec.UNSET


class BatchProblem(Problem, kw_only=True, omit_defaults=True):
    """No event of a batch was accepted."""

    rejected: Annotated[
        list[Rejected],
        Meta(description="Each event with its errors; left out if the batch could not be read."),
    ] = msgspec.field(default_factory=list)


def no_event_is_valid(rejected: list[Rejected]) -> Refusal:
    """The Refusal of a batch without a valid event."""
    status = HTTPStatus.BAD_REQUEST
    detail = "no event of the batch is valid"
    return Refusal(BatchProblem(title=status.phrase, status=status, detail=detail, rejected=rejected))
