"""The handlers of reports: `@report(...)` for a report over a range of time, `@endpoint(...)` for all others."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import update_wrapper
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from apps.access.limits import charge_long, over_reports
from apps.access.needs import needs
from apps.reporting_resources import resources_of
from apps.reports.shared.disconnects import UNANSWERED
from apps.reports.shared.execution import Query, Work, execute
from apps.reports.shared.responses import CSV, NDJSON, Table, accepted, encoded_rows, report_response
from apps.reports.shared.visible import read_report_query
from apps.web.openapi import answer, operation
from apps.web.problems import problem_response, refuse
from db.access.scopes import Scope
from db.events.errors import FieldError
from db.reports.shared.report import Report

TOO_MANY = problem_response(
    "The key asks for more reports than `REPORTS_PER_MINUTE`; `Retry-After` says when to try again. The headers "
    "`RateLimit-Policy` and `RateLimit` of every report say what is left.",
    over_reports(3),
)


def report(
    path: str,
    *,
    query: type[Query],
    summary: str,
    example: Report,
    table: str,
    bad: FieldError,
    tags: Sequence[str] = ("reports",),
    scope: Scope = Scope.REPORTS_READ,
    rows: Sequence[msgspec.Struct] | None = None,
    others: Sequence[Report] = (),
) -> Callable[[Work[Query, Table]], HTTPRouteHandler]:
    """Make the handler of GET `path` of a function from a connection, the question and the query to a Table.

    query: the Struct that has the parameters; the function's docstring is the description.
    example, table: the report as JSON, and in words what it is and which part of it is the table.
    bad: an example of a parameter that is refused.
    scope: what a key needs.
    rows: the rows of the example's table, if these are not its first list.
    others: examples of what the report may be instead.
    """

    def decorate(work: Work[Query, Table]) -> HTTPRouteHandler:
        async def handle(request: Request[Any, Any, Any]) -> Response[bytes]:
            return await respond(request, read_report_query(request, query), work)

        update_wrapper(handle, work, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
        del handle.__wrapped__  # type: ignore[attr-defined]  # Litestar would look for the parameters there
        return documented(handle)

    documented = endpoint(
        path,
        query=query,
        summary=summary,
        ok=answer(table, example, others=others),
        bad=bad,
        tags=tags,
        scope=scope,
        tables=as_tables(example, rows),
    )
    return decorate


def endpoint(
    path: str,
    *,
    query: type[msgspec.Struct],
    summary: str,
    ok: ResponseSpec,
    bad: FieldError,
    tags: Sequence[str] = ("reports",),
    examples: Mapping[str, Any] | None = None,
    others: Mapping[int, ResponseSpec] | None = None,
    scope: Scope = Scope.REPORTS_READ,
    tables: Mapping[str, str] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Awaitable[Any]]], HTTPRouteHandler]:
    """Litestar's `get`, with the documentation that reports have in common.

    ok, bad: an example of a response, and of a parameter that is refused.
    others: the responses of other statuses, or None for none but UNANSWERED.
    scope: what a key needs.
    tables: an example of a response of each other media type.
    """
    refused = refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", [bad])
    return get(
        path,
        summary=summary,
        tags=list(tags),
        opt=needs(scope, by_site=True, limited=True),
        operation_class=operation(query=query, examples=examples, tables=tables),
        responses={
            200: ok,
            400: problem_response("A parameter is missing or not valid.", refused),
            429: TOO_MANY,
            **(UNANSWERED if others is None else others),
        },
        **options,
    )


def as_tables(example: msgspec.Struct, rows: Sequence[msgspec.Struct] | None = None) -> dict[str, str]:
    """How the example of a response looks as a table, by media type.

    rows: the rows of the table; left out: the first list of objects in it.
    """
    if rows is None:
        lists = [value for name in example.__struct_fields__ if isinstance(value := getattr(example, name), list)]
        rows = next((value for value in lists if value and isinstance(value[0], msgspec.Struct)), None)
    if rows is None:
        raise ValueError(
            "the example has no list of objects: give the rows of its table, as apps/reports/sessions.py does"
        )
    table = msgspec.json.decode(msgspec.json.encode(rows))
    columns = list(dict.fromkeys(name for row in table for name in row))
    return {media_type: encoded_rows(table, columns, media_type).decode() for media_type in (CSV, NDJSON)}


async def respond(request: Request[Any, Any, Any], query: Query, work: Work[Query, Table]) -> Response[bytes]:
    """The response to a report's query. Raises BadParameter and Refusal."""
    media_type = accepted(request, query.format)
    query.check(media_type)

    async def charge() -> None:
        await charge_long(request)

    table = await execute(resources_of(request), query, work, charge=charge)
    return report_response(request, table, media_type, safe=query.safe)
