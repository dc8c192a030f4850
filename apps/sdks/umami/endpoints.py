"""The endpoints of Umami's SDKs."""

from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post

from apps.sdks.shared.receive import receive_events
from apps.sdks.shared.responses import UmamiAnswer, UmamiBatchAnswer, error_responses, success
from apps.sdks.umami import parser
from apps.web.openapi import OBJECT, answer, operation

UMAMI_EVENT = {
    "type": "event",
    "payload": {"website": "shop", "url": "/products/lamp", "hostname": "shop.example", "language": "en"},
}


@post(
    "/api/send",
    summary="Umami: an event",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body={"application/json": (OBJECT, UMAMI_EVENT)}),
    responses={200: answer("The event is in the queue.", UmamiAnswer()), **error_responses(401)},
)
async def umami_event(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts an event of Umami's script and of its SDKs. `website` is the key of the site (SITE_KEYS), by default its
    site_id. `id` is the user; a visitor gets a `visitor_id` for a day, as in `/api/event`. Servers that send events for
    visitors set `ip` and `userAgent`, and `timestamp` in seconds. A `type` other than `event` and `identify` is dropped
    and counted.
    """
    return success(UmamiAnswer(), await receive_events(request, "umami", parser.parse))


@post(
    "/api/batch",
    summary="Umami: events",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body={"application/json": ({"type": "array", "items": OBJECT}, [UMAMI_EVENT])}),
    responses={
        200: answer("The events are in the queue.", UmamiBatchAnswer(size=1, processed=1)),
        **error_responses(401),
    },
)
async def umami_batch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts an array of up to 2,500 events, each as in `/api/send`."""
    outcome = await receive_events(request, "umami", parser.parse_batch)
    return success(UmamiBatchAnswer(size=outcome.size, processed=outcome.size), outcome)
