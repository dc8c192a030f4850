"""GET /users/{user_id}."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from litestar import Request, Response
from litestar.params import PathParameter
from msgspec import Meta

from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.endpoint import as_tables, endpoint, respond
from apps.reports.shared.query import ReportQuery
from apps.reports.shared.responses import Table, columns_of
from apps.reports.shared.visible import read_report_query
from apps.web.openapi import answer
from apps.web.problems import problem_response, refuse
from apps.web.request_path import own_raw_path
from db.access.scopes import Scope
from db.connections.pools import ReadConnection
from db.events.errors import ALLOWED, BadParameter, FieldError
from db.events.limits import text_fault
from db.reports.shared.report import Question
from db.reports.users import Order, UserEvent, UserHead, UserReport, user_report

PREFIX = b"/users/"

EXAMPLE = UserReport(
    site_id="shop",
    start=datetime(2026, 1, 1, tzinfo=UTC),
    end=datetime(2026, 1, 3, tzinfo=UTC),
    timezone="UTC",
    source="events",
    as_of=datetime(2026, 1, 3, 12, tzinfo=UTC),
    user_id="customer-17",
    ever=UserHead(
        first_seen=datetime(2025, 11, 3, 9, 30, tzinfo=UTC),
        last_seen=datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC),
        total_events=17,
        by_type={"page_view": 16, "purchase": 1},
        visitors=["f0b3a1c2"],
    ),
    events=[
        UserEvent(
            event_id=UUID("019b7ca9-8f2e-7cc3-98c4-dc0c0c07398f"),
            event_type="purchase",
            path="/products/lamp",
            visitor_id="f0b3a1c2",
            event_time=datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC),
            received_at=datetime(2026, 1, 2, 3, 4, 5, 700_000, UTC),
            properties={"revenue": 119.9, "currency": "EUR"},
        )
    ],
    next_cursor=None,
)
BAD_ORDER = FieldError(
    field="order", reason="'random' is not one of newest, oldest", allowed="`newest` or `oldest` first."
)
NOT_FOUND = refuse(HTTPStatus.NOT_FOUND, "site 'shop' has no event of user 'customer-17'")


class UserQuery(ReportQuery, kw_only=True):
    """The parameters of GET /users/{user_id}."""

    order: Annotated[Order, Meta(description="Which events come first: `newest` or `oldest`.")] = "newest"
    limit: Annotated[int, Meta(ge=1, le=1_000, description="How many events: 1 to 1,000; left out: 100.")] = 100
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the page before.")] = None


@endpoint(
    "/users/{user_id:path}",
    scope=Scope.EVENTS_READ,
    query=UserQuery,
    summary="A user and what they did",
    examples={"user_id": "customer-17"},
    ok=answer("The user. As CSV or NDJSON: the events.", EXAMPLE),
    tables=as_tables(EXAMPLE, EXAMPLE.events),
    bad=BAD_ORDER,
    others={404: problem_response("No event of the site names this user.", NOT_FOUND), **UNANSWERED},
)
async def get_user(
    request: Request[Any, Any, Any],
    user_id: Annotated[  # noqa: ARG001 (it is documented by this, and read by _user_id)
        Path, PathParameter(description="The user, percent-encoded where it is not letters and digits: `a%2Fb`.")
    ],
) -> Response[bytes]:
    """When a user was first and last seen, how many events of each type there are of them, and the events themselves.

    `ever` is of all time and all events; `events` are those of the range that match the filters. Addresses cannot name
    a user called `.`, `..`, or nothing but slashes: for these request other reports with a filter `user_id:is:..`.
    """
    query = read_report_query(request, UserQuery)
    name = _user_id(request)

    async def work(conn: ReadConnection, question: Question, query: UserQuery) -> Table:
        found = await user_report(
            conn, question, user_id=name, order=query.order, limit=query.limit, cursor=query.cursor
        )
        if found is None:
            raise refuse(HTTPStatus.NOT_FOUND, f"site {query.site_id!r} has no event of user {name!r}")
        return Table(report=found, rows=found.events, columns=columns_of(UserEvent))

    return await respond(request, query, work)


def _user_id(request: Request[Any, Any, Any]) -> str:
    """The user as it was sent: the router's own path parameter has lost its outer and double slashes."""
    try:
        user_id = unquote_to_bytes(own_raw_path(request.scope).removeprefix(PREFIX)).decode()
    except UnicodeDecodeError:
        raise _bad_user("holds what is not UTF-8") from None
    if fault := text_fault("user_id", user_id):
        raise _bad_user(fault)
    return user_id


def _bad_user(reason: str) -> BadParameter:
    return BadParameter("user_id", reason, ALLOWED["user_id"])
