"""Other requests get a turn while one of them takes long."""

import asyncio
import time

import pytest

from apps.events.validation import EventValidator
from apps.web.slices import LONGEST, Slices
from db.settings import load

#: An event that takes milliseconds to repair.
SLOW = b'{"site_id":"shop","event_type":"click","path":"/","properties":{"a":[%b]}}' % b",".join([b"NaN"] * 5_000)


async def turns(done: asyncio.Event) -> int:
    """How many turns somebody else gets."""
    number = 0
    while not done.is_set():
        await asyncio.sleep(0)
        number += 1
    return number


@pytest.mark.parametrize("ndjson", [True, False])
def test_a_batch_of_events_that_take_long_is_taken_in_slices(ndjson: bool) -> None:
    validator = EventValidator(load())
    body = b"\n".join([SLOW] * 20) if ndjson else b"[%b]" % b",".join([SLOW] * 20)

    async def run() -> int:
        done = asyncio.Event()
        other = asyncio.create_task(turns(done))
        await asyncio.sleep(0)
        batch = await validator.batch_in_slices(body, ndjson=ndjson)
        assert len(batch.accepted) == 20
        done.set()
        return await other

    assert asyncio.run(run()) > 5


def test_what_is_quick_has_no_pause() -> None:
    async def run() -> int:
        done = asyncio.Event()
        other = asyncio.create_task(turns(done))
        await asyncio.sleep(0)
        slices, began = Slices(), time.monotonic()
        while time.monotonic() - began < LONGEST / 2:
            await slices.pause()
        done.set()
        return await other

    assert asyncio.run(run()) <= 2
