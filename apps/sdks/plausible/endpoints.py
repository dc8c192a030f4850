"""The endpoint of Plausible's SDKs."""

from http import HTTPStatus
from typing import Any

from litestar import MediaType, Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from apps.sdks.plausible import parser
from apps.sdks.shared.receive import take
from apps.sdks.shared.responses import done, error_responses
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
    """Takes an event of Plausible's trackers and of its events API, with long names or those of one letter. Its domain
    names the site (SITE_KEYS), by default by being its site_id; of an unknown one the event is dropped and counted.

    Plausible has no users: a visitor is known for a day (UTC) by a hash of address and browser that cannot be traced
    back. Nor has it ids for its events: one that is sent twice counts twice. `$` becomes `revenue` and `currency`.
    With `h` the path goes on behind `#`.
    """
    return done("ok", await take(request, "plausible", parser.parse, refuse_unknown_keys=False))
