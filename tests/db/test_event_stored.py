"""What validation accepts, the store stores: odd values, all offsets, the longest event."""

import json
import random
import string
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.store.events import store_events
from tests.builders.factories import batch, event, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.db.test_event import ARRIVAL, V7, accept, errors

# Texts near the limits, in one to four bytes a character, and such as an index could not compress.
texts = st.one_of(
    st.text(max_size=20),
    st.builds(lambda character, times: character * times, st.characters(), st.integers(0, 2100)),
    st.text(st.characters(min_codepoint=1, max_codepoint=0x7F), min_size=2000, max_size=2048),
    st.text(st.characters(min_codepoint=0x10000), min_size=500, max_size=512),
)

numbers = (
    st.integers()
    | st.integers(-4299, 4299).map(lambda digits: 10 ** abs(digits) * (1 if digits > 0 else -1))
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 2**64, -(2**63) - 1])
)

scalars = st.none() | st.booleans() | numbers | texts

trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))

times = st.one_of(
    st.datetimes(timezones=offsets).map(datetime.isoformat),
    st.datetimes(datetime.fromisoformat("2000-01-02"), ARRIVAL.replace(tzinfo=None), timezones=offsets).map(
        datetime.isoformat
    ),
    st.integers(-(10**13), 3 * 10**12),
    st.just("2026-03-10T12:00:00.123456789+05:45"),
)

ids = st.none() | st.uuids().map(str) | st.just(V7)

events = st.fixed_dictionaries(
    {"site_id": texts, "event_type": texts, "path": texts},
    optional={
        "user_id": st.none() | texts,
        "timestamp": times,
        "event_id": ids,
        "properties": st.dictionaries(texts, trees, max_size=4) | trees,
    },
)


@examples(80)
@given(st.lists(events, min_size=1, max_size=4), st.booleans())
def test_what_validation_accepts_the_store_stores(conn: Connection, given_events: list[Any], ascii_only: bool) -> None:
    accepted = []
    for fields in given_events:
        raw = json.dumps(fields, ensure_ascii=ascii_only).encode(errors="surrogatepass")
        if one := accept(raw):
            accepted.append(one)
        else:
            assert errors(raw)
    different = {(one.site_id, one.event_id) for one in accepted}
    before = {key for key in different if is_stored(conn, *key)}
    stored = store_events(conn, batch(*accepted))
    assert stored == (len(accepted), len(different - before), 0)
    for one in accepted:
        assert is_stored(conn, one.site_id, one.event_id)


def is_stored(conn: Connection, site_id: str, event_id: str, time: datetime | None = None) -> bool:
    query = "select event_time from events where site_id = %s and event_id = %s"
    row = conn.execute(query, [site_id, event_id]).fetchone()
    return row is not None and time in (None, row[0])


@pytest.mark.parametrize(
    "value",
    [
        *(
            "-0.0",
            "5e-324",
            "1.7976931348623157e308",
            "1e22",
            "18446744073709551616",
            "-" + "9" * 4000,
            "[[[[[[[]]]]]]]",
        ),
        *(
            '"\\uffff\\ufffe\\ufdd0"',
            '"\\ud83d\\ude00"',
            '"\\u0001\\u007f\\u0085\\u2028"',
            '{"":{"\\ufeff":"\\\\u0000"}}',
        ),
    ],
    ids=lambda value: value[:30],
)
def test_odd_values_are_stored_as_they_are(conn: Connection, shop: str, value: str) -> None:
    properties = '{"a":' + value + "}"
    one = accept(json.dumps(event(shop)).encode()[:-1] + b',"properties":%b}' % properties.encode())
    assert one
    store_events(conn, batch(one))
    row = conn.execute("select properties = %s::jsonb from events where site_id = %s", [properties, shop]).fetchone()
    assert row == (True,)


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+16:00", "-15:59"])
def test_every_offset_is_stored(conn: Connection, shop: str, offset: str) -> None:
    one = received(shop, timestamp=f"2026-03-10T12:00:00{offset}")
    assert store_events(conn, batch(one)).stored == 1
    assert is_stored(conn, shop, one.event_id, one.timestamp)


def test_the_longest_event_fits_every_index(conn: Connection) -> None:
    # Random text, since PostgreSQL compresses an index entry where it can.
    text = "".join(random.Random(1).choices(string.ascii_letters + string.digits + string.punctuation, k=2048))
    one = received(text[:255], event_type=text[:100], path=text, user_id=text[-255:])
    assert store_events(conn, batch(one)).stored == 1
