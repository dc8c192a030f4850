"""GET /sessions: how long users stay, how much they see, where they come in and where they leave."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.event import EventPath
from db.reports.shared.report import ComparedReport, Question, compared, rows, source_of


class PageSessions(msgspec.Struct, kw_only=True):
    """A page, and how many sessions begin or end at it."""

    path: EventPath
    sessions: Annotated[int, Meta(examples=[120])]


class SessionSummary(msgspec.Struct, kw_only=True):
    """The sessions of a range in numbers; null where there is nothing to divide by."""

    sessions: Annotated[int, Meta(examples=[480])]
    users: Annotated[int, Meta(description="Different users who had them.", examples=[417])]
    anonymous: Annotated[int, Meta(description="Events that name no user, which belong to no session.", examples=[96])]
    bounces: Annotated[int, Meta(description="Sessions of a single event.", examples=[120])]
    bounce_rate: Annotated[float | None, Meta(description="Their share, from 0 to 1.", examples=[0.25])]
    views: Annotated[int, Meta(description="Events of type `page_view` in the sessions.", examples=[1920])]
    views_per_session: Annotated[float | None, Meta(examples=[4.0])]
    average_seconds: Annotated[
        float | None, Meta(description="From the first to the last event of a session, on average.", examples=[184.5])
    ]
    median_seconds: Annotated[float | None, Meta(description="The same, of the session in the middle.", examples=[61])]


class Sessions(ComparedReport, kw_only=True, omit_defaults=True):
    """The sessions that begin in a range."""

    summary: SessionSummary
    entry_pages: Annotated[list[PageSessions], Meta(description="Where most of them begin, the first event's path.")]
    exit_pages: Annotated[list[PageSessions], Meta(description="Where most of them end, the last event's path.")]
    compare: Annotated[
        SessionSummary | None, Meta(description="With `compare`: the summary of the range compared with.")
    ] = None


async def open_sessions(conn: AsyncConnection, question: Question) -> dict[str, Any] | None:
    """The parameters of a query that reads the rollup of sessions; None if that does not have the numbers.

    The rollup is written some time after the events: what these add to it comes as one of the parameters.
    """
    if question.filters.conditions or not question.range.hours_fit:
        return None
    return next(iter(await rows(conn, question, "open_sessions")), None)


async def sessions(conn: AsyncConnection, question: Question, *, pages: int) -> Sessions:
    """The sessions in numbers, with at most `pages` entry pages and exit pages."""
    other = await compared(conn, question)
    report = await _sessions(conn, question, pages, other)
    if other:
        report.compare = (await _sessions(conn, other, pages)).summary
    return report


async def _sessions(conn: AsyncConnection, question: Question, pages: int, other: Question | None = None) -> Sessions:
    kept = await open_sessions(conn, question)
    rollup = "sessions_by_days" if question.range.days_fit else "sessions_from_rollup"
    query = rollup if kept else "sessions_from_events"
    (row,) = await rows(conn, question, query, limit=pages, **kept or {})
    entry_pages, exit_pages = (
        msgspec.convert(row.pop(name), list[PageSessions]) for name in ("entry_pages", "exit_pages")
    )
    head = question.head(source_of(query), other)
    return Sessions(**head, summary=_summary(row), entry_pages=entry_pages, exit_pages=exit_pages)


def _summary(row: dict[str, Any]) -> SessionSummary:
    count = row["sessions"]
    return SessionSummary(
        **row,
        bounce_rate=row["bounces"] / count if count else None,
        views_per_session=row["views"] / count if count else None,
    )
