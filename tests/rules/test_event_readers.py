"""Each question of a report that reads events says so when some of them have expired."""

from db.queries import FOLDER
from db.reports.shared.report import FROM_EVENTS
from tests.checks.statements import COMMENT, TEXT, calls_in, readers, tables_in
from tests.conftest import Connection

EVENTS = frozenset({"events"})
#: Those that read no event that can have expired.
OF_THE_PRESENT = {
    "live": "events of the last minutes",
    "range": "events of the hour from which on they are kept",
    "open_sessions": "events after a watermark",
    **dict.fromkeys(("visits_by", "visits_people", "visits_over_time"), "events after a watermark"),
}


def test_each_question_that_reads_events_is_known(conn: Connection) -> None:
    bodies = conn.execute(
        "select proname, coalesce(nullif(prosrc, ''), pg_get_function_sqlbody(oid)) from pg_proc"
        " where pronamespace = current_schema()::regnamespace and prokind = 'f'"
    ).fetchall()
    reading = readers(dict(bodies), EVENTS)
    found = {
        path.stem
        for path in sorted(FOLDER.glob("reports/*.sql"))
        if (text := TEXT.sub("''", COMMENT.sub("", path.read_text())))
        and (tables_in(text, EVENTS) or calls_in(text) & reading)
    }
    assert len(found) > 8
    assert found - FROM_EVENTS - OF_THE_PRESENT.keys() == set()
