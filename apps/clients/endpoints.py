"""The endpoints of Plausible's and Umami's SDKs, and those of all clients together."""

from http import HTTPStatus
from typing import Any

from litestar import MediaType, Request, Response, Router, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from apps.clients import page_endpoints, plausible, posthog_endpoints, segment_endpoints, umami
from apps.clients.answers import (
    UmamiAnswer,
    UmamiBatchAnswer,
    answer_sdk_error,
    done,
    error_answers,
)
from apps.clients.intake import take
from apps.clients.rudderstack_endpoints import source_config
from apps.openapi import answer, operation

PLAUSIBLE_EVENT = {
    "n": "Purchase",
    "d": "shop",
    "u": "https://shop.example/checkout",
    "$": {"amount": 119.9, "currency": "EUR"},
}
UMAMI_EVENT = {
    "type": "event",
    "payload": {"website": "shop", "url": "/products/lamp", "hostname": "shop.example", "language": "en"},
}
OBJECT = {"type": "object"}


@post(
    "/api/event",
    summary="Plausible: an event",
    tags=["SDKs"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(body={"application/json": (OBJECT, PLAUSIBLE_EVENT)}),
    responses={
        202: ResponseSpec(
            data_container=str,
            description="The event is in the queue.",
            media_type=MediaType.TEXT,
            generate_examples=False,
            examples=[Example(value="ok")],
        ),
        **error_answers(),
    },
)
async def plausible_event(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes an event of Plausible's trackers and of its events API, with long names or those of one letter. Its domain
    names the site (SITE_KEYS), by default by being its site_id; of an unknown one the event is dropped and counted.

    Plausible has no users: a visitor is known for a day (UTC) by a hash of address and browser that cannot be traced
    back. Nor has it ids for its events: one that is sent twice counts twice. `$` becomes `revenue` and `currency`.
    With `h` the path goes on behind `#`.
    """
    return done("ok", await take(request, "plausible", plausible.parse, refuse_unknown_keys=False))


@post(
    "/api/send",
    summary="Umami: an event",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body={"application/json": (OBJECT, UMAMI_EVENT)}),
    responses={200: answer("The event is in the queue.", UmamiAnswer()), **error_answers(401)},
)
async def umami_event(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes an event of Umami's script and of its SDKs. `website` names the site (SITE_KEYS), by default by being its
    site_id. Without an `id`, visitors are told apart as Plausible's are, in `/api/event`; `ip` and
    `userAgent` say whose event a server sends, `timestamp` (seconds) when it was. A `type` other than `event` and
    `identify` is dropped and counted.
    """
    return done(UmamiAnswer(), await take(request, "umami", umami.parse))


@post(
    "/api/batch",
    summary="Umami: events",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body={"application/json": ({"type": "array", "items": OBJECT}, [UMAMI_EVENT])}),
    responses={
        200: answer("The events are in the queue.", UmamiBatchAnswer(size=1, processed=1)),
        **error_answers(401),
    },
)
async def umami_batch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes up to 2,500 events as those of `/api/send`, in an array."""
    taken = await take(request, "umami", umami.parse_batch)
    return done(UmamiBatchAnswer(size=taken.size, processed=taken.size), taken)


sdk_endpoints = Router(
    "/",
    route_handlers=[
        segment_endpoints.segment_batch,
        segment_endpoints.segment_batch_aliases,
        segment_endpoints.segment_call,
        segment_endpoints.segment_settings,
        source_config,
        segment_endpoints.jitsu_batch,
        segment_endpoints.jitsu_batch_alias,
        segment_endpoints.jitsu_call,
        segment_endpoints.jitsu_server_call,
        *posthog_endpoints.posthog_handlers,
        plausible_event,
        umami_event,
        umami_batch,
        page_endpoints.tracker_script,
        page_endpoints.tracker_events,
        page_endpoints.pixel,
    ],
    exception_handlers={Exception: answer_sdk_error},
)
