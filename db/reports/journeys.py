"""GET /journeys: the pages that users view after or before a page."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from psycopg import AsyncConnection

from db.events.event import EventPath
from db.reports.sessions import open_sessions
from db.reports.shared.report import Question, Report, rows, source_of

Direction = Literal["from", "to"]


class Sequence(msgspec.Struct, kw_only=True):
    """Pages in the order in which they are viewed."""

    pages: Annotated[
        list[str],
        Meta(
            description="The page itself comes first (`from`) or last (`to`); where there are fewer than `steps` more, "
            "the session ended, or began, there.",
            examples=[["/", "/products/lamp"]],
        ),
    ]
    sessions: Annotated[int, Meta(examples=[120])]
    users: Annotated[int, Meta(description="Different users who had them.", examples=[110])]
    share: Annotated[float, Meta(description="Of all sessions with the page, from 0 to 1.", examples=[0.25])]


class Journeys(Report, kw_only=True):
    """The most frequent sequences of pages from or to a page."""

    path: EventPath
    direction: Direction
    steps: int
    sessions: Annotated[int, Meta(description="Sessions that have the page.", examples=[480])]
    users: Annotated[int, Meta(description="Different users who had them.", examples=[417])]
    anonymous: Annotated[
        int, Meta(description="Views of the page that name no user, which belong to no session.", examples=[96])
    ]
    other_sessions: Annotated[int, Meta(description="Sessions whose sequences are not listed.", examples=[360])]
    journeys: list[Sequence]


async def journeys(
    conn: AsyncConnection, question: Question, *, path: str, direction: Direction, steps: int, limit: int
) -> Journeys:
    """The sequences, the most frequent first, each with up to `steps` pages beyond `path`."""
    kept = await open_sessions(conn, question)
    query = "journeys_from_rollup" if kept else "journeys_from_events"
    (row,) = await rows(conn, question, query, path=path, direction=direction, steps=steps, limit=limit, **kept or {})
    sequences = [Sequence(**one, share=one["sessions"] / row["sessions"]) for one in row.pop("sequences")]
    return Journeys(
        **question.head(source_of(query)),
        path=path,
        direction=direction,
        steps=steps,
        **row,
        other_sessions=row["sessions"] - sum(one.sessions for one in sequences),
        journeys=sequences,
    )
