"""GET /dead-letters and what can be done with them."""

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.params import PathParameter
from msgspec import Meta

from apps.access.guard import identity_of
from apps.access.needs import needs
from apps.dead_letters import operations
from apps.dead_letters.operations import Outcome
from apps.dead_letters.sample import HEAD, LETTER
from apps.events.endpoints import EVENT_BYTES, EXAMPLE, JSON_EVENT
from apps.reporting_resources import resources_of
from apps.web.openapi import answer, operation
from apps.web.problems import DATABASE_UNAVAILABLE, QUEUE_UNAVAILABLE, problem_response, refuse, unavailable
from apps.web.query_params import CHANGES_NOTHING, DryRun, read_query
from apps.web.request_body import read_body
from db.access.scopes import Scope
from db.dead_letters.read import DeadLetter, LetterFilter, LetterPage, list_letters
from db.events.errors import FieldError

LetterId = Annotated[UUID, PathParameter(description="The letter's id.")]

BAD_STATE = FieldError(
    field="state", reason="'alive' is not one of dead, discarded, duplicate, stored", allowed="dead, stored, ..."
)

BAD_PARAMETER = problem_response(
    "A parameter is not valid.", refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [BAD_STATE])
)
NOT_FOUND = problem_response(
    "There is no such letter.",
    refuse(HTTPStatus.NOT_FOUND, "there is no dead letter 019b7ca9-8f2e-7cc3-98c4-dc0c0c073991"),
)
UNAVAILABLE_DATABASE = problem_response(
    "The database is unavailable; `Retry-After` says when to try again.", unavailable(DATABASE_UNAVAILABLE)
)
EITHER_UNAVAILABLE = problem_response(
    "The database or the queue is unavailable; `Retry-After` says when to try again.", unavailable(QUEUE_UNAVAILABLE)
)
#: What can be tried where nothing has failed.
OF_A_LETTER = {"letter_id": str(HEAD.id)}
SOME = Outcome(letters=3, stored=2, duplicate=1)


class ListQuery(LetterFilter, kw_only=True):
    """The parameters of GET /dead-letters."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most: 1 to 1,000; left out: 100.")] = 100
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the page before")] = None


class ManyQuery(LetterFilter, kw_only=True):
    """The parameters of what is done to all letters that match."""

    dry_run: DryRun = False


@get(
    "/",
    summary="List dead letters",
    operation_class=operation(query=ListQuery),
    responses={
        200: answer("A page of them.", LetterPage(dead_letters=[HEAD], next_cursor=None)),
        400: BAD_PARAMETER,
        503: UNAVAILABLE_DATABASE,
    },
)
async def list_dead_letters(request: Request[Any, Any, Any]) -> LetterPage:
    """Events that were accepted and could not be stored, with the reason: the newest failure first.

    They are kept until they are replayed or discarded, and after that for reference.
    """
    query = read_query(request, ListQuery)
    return await resources_of(request).read(partial(list_letters, which=query, limit=query.limit, cursor=query.cursor))


@get(
    "/{letter_id:uuid}",
    summary="Open a dead letter",
    operation_class=operation(examples=OF_A_LETTER),
    responses={200: answer("The letter.", LETTER), 404: NOT_FOUND, 503: UNAVAILABLE_DATABASE},
)
async def show_dead_letter(request: Request[Any, Any, Any], letter_id: LetterId) -> DeadLetter:
    """A dead letter with its payload, exactly as it was in the queue.

    The letter of the example is always there, to be tried; to replay or discard it does nothing.
    """
    return await operations.show(resources_of(request), letter_id)


@post(
    "/{letter_id:uuid}/replay",
    summary="Replay a dead letter",
    status_code=HTTPStatus.OK,
    operation_class=operation(
        body={"application/json": (JSON_EVENT, EXAMPLE)}, body_required=False, examples=OF_A_LETTER
    ),
    responses={
        200: answer("It was tried: `state` says what became of it, and where it is still `dead`, `error` why.", LETTER),
        202: answer("The request is in the queue; no worker has got to it yet.", LETTER),
        400: problem_response(
            "The event in the body is not valid.",
            refuse(
                HTTPStatus.BAD_REQUEST,
                "the event is not valid",
                [FieldError(field="path", reason="is missing", allowed="text")],
            ),
        ),
        404: NOT_FOUND,
        503: EITHER_UNAVAILABLE,
    },
)
async def replay_dead_letter(request: Request[Any, Any, Any], letter_id: LetterId) -> Response[DeadLetter]:
    """Tries to store the event again: as it is, or with a body the event that the body holds in its place, as for
    `POST /event` (without `event_id` or `timestamp`, those of the letter hold).

    To replay a letter whose event is stored already does nothing: an event counts once.
    """
    resources = resources_of(request)
    timeout = resources.settings.body_timeout_seconds
    body = await read_body(request.scope, request.receive, limit=EVENT_BYTES, timeout=timeout)
    return _letter_response(*await operations.replay(resources, letter_id, body, by=str(identity_of(request))))


@post(
    "/{letter_id:uuid}/discard",
    summary="Discard a dead letter",
    operation_class=operation(examples=OF_A_LETTER),
    status_code=HTTPStatus.OK,
    responses={
        200: answer("The letter.", LETTER),
        202: answer("The request is in the queue; no worker has got to it yet.", LETTER),
        404: NOT_FOUND,
        503: EITHER_UNAVAILABLE,
    },
)
async def discard_dead_letter(request: Request[Any, Any, Any], letter_id: LetterId) -> Response[DeadLetter]:
    """Marks the event as not wanted any more. It is kept, and can still be replayed."""
    return _letter_response(*await operations.discard(resources_of(request), letter_id, by=str(identity_of(request))))


@post(
    "/replay",
    summary="Replay dead letters by filter",
    status_code=HTTPStatus.OK,
    operation_class=operation(query=ManyQuery, examples={"state": "dead"} | CHANGES_NOTHING),
    responses={
        200: answer("What became of them.", SOME),
        202: answer(
            "The request is in the queue; no worker has got to some of them yet.", Outcome(letters=3, waiting=3)
        ),
        400: BAD_PARAMETER,
        503: EITHER_UNAVAILABLE,
    },
)
async def replay_dead_letters_by_filter(request: Request[Any, Any, Any]) -> Response[Outcome]:
    """Replays up to 1,000 letters that match, the newest failure first; those in state `dead` if no state is given.

    At least one of them is needed: `state=dead` means all. With `dry_run=true`, as in the example, nothing is done, and
    `letters` says how many match.
    """
    which, dry_run = _filter(request)
    who = str(identity_of(request))
    return _outcome_response(await operations.replay_all(resources_of(request), which, by=who, dry_run=dry_run))


@post(
    "/discard",
    summary="Discard dead letters by filter",
    status_code=HTTPStatus.OK,
    operation_class=operation(query=ManyQuery, examples={"state": "dead"} | CHANGES_NOTHING),
    responses={
        200: answer("What became of them.", Outcome(letters=3, discarded=3)),
        202: answer(
            "The request is in the queue; no worker has got to some of them yet.", Outcome(letters=3, waiting=3)
        ),
        400: BAD_PARAMETER,
        503: EITHER_UNAVAILABLE,
    },
)
async def discard_dead_letters_by_filter(request: Request[Any, Any, Any]) -> Response[Outcome]:
    """Discards up to 1,000 letters that match, the newest failure first; those in state `dead` if no state is given.

    At least one of them is needed: `state=dead` means all. With `dry_run=true`, as in the example, nothing is done, and
    `letters` says how many match.
    """
    which, dry_run = _filter(request)
    who = str(identity_of(request))
    return _outcome_response(await operations.discard_all(resources_of(request), which, by=who, dry_run=dry_run))


def _filter(request: Request[Any, Any, Any]) -> tuple[LetterFilter, bool]:
    """Which letters are meant, and whether this is a dry run."""
    which = read_query(request, ManyQuery)
    if which in (ManyQuery(), ManyQuery(dry_run=True)):
        raise refuse(HTTPStatus.BAD_REQUEST, "at least one parameter should say which letters are meant: state=dead")
    return which, which.dry_run


def _letter_response(letter: DeadLetter, outcome: Outcome) -> Response[DeadLetter]:
    return Response(letter, status_code=HTTPStatus.ACCEPTED if outcome.waiting else HTTPStatus.OK)


def _outcome_response(outcome: Outcome) -> Response[Outcome]:
    return Response(outcome, status_code=HTTPStatus.ACCEPTED if outcome.waiting else HTTPStatus.OK)


router = Router(
    "/dead-letters",
    route_handlers=[
        list_dead_letters,
        show_dead_letter,
        replay_dead_letter,
        discard_dead_letter,
        replay_dead_letters_by_filter,
        discard_dead_letters_by_filter,
    ],
    tags=["dead letters"],
    opt=needs(Scope.OPERATIONS),
)
