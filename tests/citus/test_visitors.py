"""Visitors who become users, and are erased, on Citus: every rollup is as the events say."""

from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest

from db.connections.pools import connect
from db.migrations import migrate
from db.rollups.advance import advance
from db.store.events import Message, store_messages
from tests.builders.factories import batch, received
from tests.citus.conftest import MakeDatabase
from tests.db.people.erasing import erased, texts
from tests.db.people.test_visitors import NOON, ROLLUPS, Life, check


@pytest.mark.parametrize("seed", range(4))
def test_people_are_counted_and_erased_as_their_events_say(citus_database: MakeDatabase, seed: int) -> None:
    url = citus_database()
    migrate(url)
    chance = Random(seed)
    life = Life(chance, "shop")
    with connect(url) as conn:
        for _ in range(6):
            events = [received("shop", **one) for one in life.events(10)]
            store_messages(conn, [Message(str(uuid4()), batch(*events))])
            for rollup in ROLLUPS:
                if chance.random() < 0.3:
                    advance(conn, rollup, "shop", target=NOON - timedelta(days=chance.choice([0, 5, 30])))
        check(conn, "shop")
        links = conn.execute("select visitor_id, user_id from visitors where site_id = 'shop'").fetchall()
        gone = links[0][1]
        erased(url, conn, "shop", gone)
        after = texts(conn, "shop")
        for name in (gone, *(visitor for visitor, user in links if user == gone)):
            assert name not in after
        check(conn, "shop")
