"""The endpoints of Umami's SDKs."""

from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post

from apps.sdks.shared.receive import take
from apps.sdks.shared.responses import UmamiAnswer, UmamiBatchAnswer, done, error_responses
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
    """Takes an event of Umami's script and of its SDKs. `website` names the site (SITE_KEYS), by default by being its
    site_id. Without an `id`, visitors are told apart as Plausible's are, in `/api/event`; `ip` and
    `userAgent` say whose event a server sends, `timestamp` (seconds) when it was. A `type` other than `event` and
    `identify` is dropped and counted.
    """
    return done(UmamiAnswer(), await take(request, "umami", parser.parse))


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
    """Takes up to 2,500 events as those of `/api/send`, in an array."""
    taken = await take(request, "umami", parser.parse_batch)
    return done(UmamiBatchAnswer(size=taken.size, processed=taken.size), taken)
