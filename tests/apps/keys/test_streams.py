"""GET /live/stream of a key that is revoked meanwhile."""

import asyncio
from time import monotonic

import httpx
from litestar.response import ServerSentEventMessage

from apps.access.credentials import Credential
from apps.keys.verdicts import HOLDS
from apps.reporting import create_app
from apps.reports.live_stream import RECHECK, LiveStreamQuery, LiveStreams
from db.settings import load
from tests.apps.keys.callers import create


def test_a_stream_ends_once_its_key_is_not_valid_any_more(reporting: httpx.Client, shop: str) -> None:
    assert RECHECK + HOLDS <= 15
    key, secret = create(reporting, "reports:read")
    app = create_app(load())
    streams = LiveStreams(app.resources, recheck=0.01)

    async def sent() -> list[bytes]:
        feed = streams.feed(LiveStreamQuery(site_id=shop))
        feed.message, feed.due = ServerSentEventMessage("numbers"), monotonic() + 60
        checks = 0

        async def allowed() -> bool:
            nonlocal checks
            checks += 1
            if checks == 3:
                await asyncio.to_thread(reporting.delete, f"/keys/{key.id}")
                app.access.verdicts.forget()  # ten seconds pass
            return await app.access.verdicts.of(Credential("key", secret)) is not None

        async with app.resources.pool:
            return [message.encode() async for message in streams.messages(feed, allowed=allowed)]

    assert asyncio.run(sent()) == [b"retry: 3000\r\n\r\n", b"data: numbers\r\n\r\n"]
