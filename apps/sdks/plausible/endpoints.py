"""The endpoint of Plausible's SDKs."""

from http import HTTPStatus
from typing import Any

from litestar import MediaType, Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from apps.sdks.plausible import parser
from apps.sdks.shared.receive import receive_events
from apps.sdks.shared.responses import error_responses, success
from apps.web.openapi import OBJECT, operation

PLAUSIBLE_EVENT = {
    "n": "Purchase",
    "d": "shop",
    "u": "https://shop.example/checkout",
    "$": {"amount": 119.9, "currency": "EUR"},
}


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
        **error_responses(),
    },
)
async def plausible_event(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts an event of Plausible's trackers and of its events API, with long or one-letter names. The domain is the
    key of the site (SITE_KEYS), by default its site_id; an event of an unknown domain is dropped and counted.

    Plausible has no users: a visitor gets a `visitor_id` for a day (UTC), a hash of address and user agent that cannot
    be reversed. Its events carry no ids, so an event sent twice counts twice. `$` becomes `revenue` and `currency`.
    With `h` the fragment behind `#` belongs to the path.
    """
    return success("ok", await receive_events(request, "plausible", parser.parse, refuse_unknown_keys=False))
