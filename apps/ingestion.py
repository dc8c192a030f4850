"""The ingestion app: `uvicorn apps.ingestion:app --port 3000`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar

from actors.broker import redis_url, sender
from actors.durable.broker import refusal
from apps.events.cors import Cors, Origins
from apps.events.endpoints import batcher, post_event, post_events, settings, watch
from apps.events.fast_path import FastPath
from apps.events.metrics import INGESTION
from apps.monitoring.health import health, readiness
from apps.monitoring.metrics import Measured, Requests, metrics
from apps.monitoring.queue_metrics import QueueMetrics
from apps.sdks.router import sdk_endpoints
from apps.web.head_requests import Heads
from apps.web.openapi import openapi
from apps.web.problems import error_response
from apps.web.schema_page import front_page
from apps.web.startup import CheckedStart
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
    await batcher.open()
    async with watch.watching():
        yield
    await batcher.close()
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
    exception_handlers={Exception: error_response},
    openapi_config=openapi("ingestion", DESCRIPTION),
    logging_config=None,
)
origins = Origins(settings.cors_origins)
app = CheckedStart(
    FastPath(Measured(Heads(Cors(litestar, origins)), requests), requests, origins), partial(refusal, redis_url)
)
