"""The ingestion app: `uvicorn apps.ingestion:app --port 3000`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar

from actors.broker import refusal
from actors.queue import redis_url, sender
from apps.clients.endpoints import sdk_endpoints
from apps.cors import Cors, Origins
from apps.event_metrics import INGESTION
from apps.events import inbox, post_event, post_events, settings, watch
from apps.heads import Heads
from apps.health import health, readiness
from apps.metrics import Measured, Requests, metrics
from apps.openapi import openapi
from apps.pages import front_page
from apps.problems import answer_error
from apps.queue_metrics import QueueMetrics
from apps.short_way import ShortWay
from apps.starting import CheckedStart
from db.logs import configure
from db.settings import load

DESCRIPTION = """
Takes what happens in a shop: page views, clicks, orders. An answer of 202 is a promise: that event will be counted,
once, whatever dies in between. So that sending one again is safe, give each event an `event_id` and a `timestamp`.

Every error is `application/problem+json` with the reason and, in `errors`, each field that is wrong. 503 means that the
events were not taken: send them again after `Retry-After` seconds.

SDKs of Segment, RudderStack, PostHog, Plausible, Umami and Jitsu have endpoints of their own: the same promise, but the
answers and errors that they look for.

What was taken is at once in the reports of the [reporting API](reporting:/schema). HEAD is answered wherever GET is.
"""


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    configure(load())
    await inbox.open()
    async with watch.watching():
        yield
    await inbox.close()
    await sender.close()


settings.required("redis_url")  # now: what a server lacks is the last line that it says
requests = Requests(INGESTION)
litestar = Litestar(
    [
        front_page("ingestion"),
        post_event,
        post_events,
        sdk_endpoints,
        health,
        readiness(watch),
        metrics(INGESTION, QueueMetrics(watch)),
    ],
    lifespan=[lifespan],
    exception_handlers={Exception: answer_error},
    openapi_config=openapi("ingestion", DESCRIPTION),
    logging_config=None,
)
origins = Origins(settings.cors_origins)
app = CheckedStart(
    ShortWay(Measured(Heads(Cors(litestar, origins)), requests), requests, origins), partial(refusal, redis_url)
)
