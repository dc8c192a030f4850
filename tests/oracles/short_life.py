"""What a database lives through: events stored, failed, sent late, moved on, rebuilt, rezoned; and what each says."""

import json
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

from click.testing import CliRunner

from apps.cli import main
from db.connections import pools
from db.dead_letters.replay import replay
from db.expiry import drop_old_events
from db.ledger.balance import Count, count_accepted
from db.migrations import migrate
from db.rollups.advance import Rollup, advance, sites_behind
from db.sites.timezones import set_timezone
from db.store.events import Message, make_partitions_ahead, store_messages
from db.store.whole_or_apart import store_apart
from tests.builders.factories import batch, received
from tests.oracles.every_question import SITE, SITES
from tests.oracles.recount import differences

#: Whoever writes to any table does so in a transaction that states its isolation, and that its commit is on the disk.
ONLY_READ_COMMITTED = """
    create function is_read_committed() returns trigger language plpgsql as $$
    begin
        if current_setting('transaction_isolation') <> 'read committed' then
            raise 'a write to % is not read committed', tg_relid::regclass;
        end if;
        if current_setting('synchronous_commit') = 'off' then
            raise 'a write to % may be lost', tg_relid::regclass;
        end if;
        return null;
    end
    $$;
    do $$
    declare
        name regclass;
    begin
        for name in
            select oid from pg_class
            where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
        loop
            execute format('create trigger stated before insert or update or delete on %s'
                ' execute function is_read_committed()', name);
        end loop;
    end
    $$
"""
RECEIVED = datetime.now(UTC).date()


def some_messages() -> list[Message]:
    """Two months of events of two sites, with all that may look different elsewhere."""
    begin = datetime(2026, 2, 1, tzinfo=UTC)
    messages = []
    for site in SITES:
        events = [
            received(
                site,
                timestamp=(begin + timedelta(minutes=131 * number, microseconds=7 * number)).isoformat(),
                event_id=str(UUID(int=number + (1 << 100) * (site == "other"))),
                event_type=("page_view", "click", "purchase")[number % 3],
                path=("/1", "/2", "/ı", "/I", "/i ✓", "/\\'")[number % 6],
                user_id=f"{number % 11}" if number % 4 else None,
                properties={
                    "revenue": 1 / (number + 1),
                    "note": ("I", "ı", "i", "İ", "\\", "'")[number % 6],
                    "currency": ("inr", "EUR", "try", "BIF")[number % 4],
                    "order_id": f"{number // 2}",
                    "products": [{"product_id": f"i{number % 3}", "price": 0.1, "quantity": 3}],
                },
            )
            for number in range(600)
        ]
        messages += [message(*events[start : start + 300]) for start in range(0, len(events), 120)]
    return messages


def message(*events: Any) -> Message:
    return Message(str(uuid4()), batch(*events))


def live(url: str, messages: list[Message]) -> dict[str, Any]:
    """Store, fail, replay, move on, verify, rebuild, rezone: what each says of itself."""
    told: dict[str, Any] = {"migrated": len(migrate(url)), "again": migrate(url)}
    with closing(pools.connect(url)) as conn:
        with pools.writing(conn):
            conn.execute(ONLY_READ_COMMITTED)
        make_partitions_ahead(conn)
        told["stored"] = [store_messages(conn, [each]) for each in messages]
        told["again stored"] = store_messages(conn, [Message(str(UUID(int=3)), messages[0].events)])
        bad = json.dumps([json.loads(messages[0].events)[0] | {"path": None, "event_id": str(UUID(int=1 << 90))}])
        told["dead"] = store_apart(conn, Message(str(UUID(int=1)), bad.encode()), queue="events")
        count_accepted(
            conn, source="elsewhere", counted_at=datetime(2026, 4, 1, tzinfo=UTC), counts=[Count(SITE, RECEIVED, 9)]
        )
        target = datetime(2026, 3, 25, tzinfo=UTC)
        for rollup in get_args(Rollup):
            told[f"behind {rollup}"] = sites_behind(conn, rollup, target)
            for site in SITES:
                while advance(conn, rollup, site, target=target, most=400):
                    pass
        late = received(SITE, timestamp="2026-02-03T04:05:06Z", user_id="late", event_id=str(UUID(int=7)))
        told["late"] = store_messages(conn, [message(late)])
        told["rezoned"] = [set_timezone(conn, SITE, zone) for zone in ("Europe/Berlin", "Australia/Lord_Howe")]
        told["differences"] = differences(conn)
        (letter,) = conn.execute("select id::text from dead_letters").fetchone() or ("",)
        replay(conn, letter, request=str(uuid4()))
        good = json.loads(bad)[0] | {"path": "/mended"}
        told["letter"] = conn.execute("select state, error, attempts from dead_letters").fetchone()
        replay(conn, letter, request=str(uuid4()), event=json.dumps(good).encode())
        told["replayed"] = conn.execute("select state, payload from dead_letters").fetchone()
        told["dropped"] = drop_old_events(conn, days=36_500)
        told["verified"] = command("verify")
        with pools.writing(conn):
            conn.execute("update path_days set events = events + 1 where path = '/1'")
            conn.execute("update user_days set users = ~users where day = '2026-02-10'")
        told["found"] = command("verify")
        told["rebuilt"] = command("rebuild", "--all-sites")
        told["right"] = command("verify")
        told["partitions"] = conn.execute(
            "select name, starts::text, ends::text from event_partitions where ends < '2026-05-01Z' order by name"
        ).fetchall()
    return told


def command(*arguments: str) -> tuple[int, str]:
    done = CliRunner(env=dict(os.environ)).invoke(main, arguments)
    return done.exit_code, done.output
