"""The endpoints for pages without an SDK: our script, what it sends, and an image where scripts are off."""

import gzip
from base64 import b64decode
from hashlib import blake2b
from http import HTTPStatus
from importlib import resources
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from msgspec import Meta

from actors.queue.producer import QueueUnavailable
from apps.sdks.pages import parser
from apps.sdks.shared.receive import receive_events
from apps.sdks.shared.responses import error_responses, success
from apps.web.head_requests import IS_HEAD
from apps.web.openapi import answer, operation
from apps.web.problems import Refusal, refusal_for
from apps.web.schema_page import NOSNIFF

SCRIPT = resources.files(__package__).joinpath("tracker.js").read_bytes()
COMPRESSED = gzip.compress(SCRIPT)
TAG = f'"{blake2b(SCRIPT, digest_size=12).hexdigest()}"'
SCRIPT_HEADERS = NOSNIFF | {
    "ETag": f"W/{TAG}",  # the same whether compressed or not
    "Vary": "Accept-Encoding",
    "Cache-Control": "public, max-age=3600",
    # For pages with a Cross-Origin-Embedder-Policy, which embed only resources that allow it.
    "Cross-Origin-Resource-Policy": "cross-origin",
}
#: A transparent pixel.
GIF = b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
GIF_HEADERS = NOSNIFF | {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin"}

#: Without `event_id` and `timestamp`, which the script sets, so that each request from the UI counts.
EXAMPLE: dict[str, Any] = {
    "site_id": "shop",
    "sent_at": 1767323045678,
    "events": [
        {
            "event_type": "page_view",
            "path": "/products/lamp",
            "properties": {"title": "Lamp", "screen": "1920x1080", "referrer": "https://search.example/"},
        }
    ],
}
BODY = {
    "type": "object",
    "properties": {
        "site_id": {"type": "string"},
        "sent_at": {"type": "integer"},
        "events": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["site_id", "events"],
}


class Queued(msgspec.Struct):
    """Success, for our script."""

    status: Literal["queued"] = "queued"


class Pixel(msgspec.Struct):
    """The parameters of the image."""

    site: Annotated[str, Meta(description="The key of the site, by default its site_id.", examples=["shop"])] = ""
    path: Annotated[
        str,
        Meta(description="The path of the page; by default that of the `Referer` header.", examples=["/products/lamp"]),
    ] = ""


def _image(description: str) -> ResponseSpec:
    return ResponseSpec(
        data_container=bytes,
        description=description,
        media_type="image/gif",
        generate_examples=False,
        examples=[Example(value="GIF89a...")],
    )


@get(
    "/tracker.js",
    summary="The script for pages",
    tags=["Pages"],
    sync_to_thread=False,
    responses={
        200: ResponseSpec(
            data_container=str,
            description="The script.",
            media_type="text/javascript",
            generate_examples=False,
            examples=[Example(value='/* <script defer src="…/tracker.js" data-site="shop"></script> ... */')],
        ),
    },
)
def tracker_script(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A script of less than 2 kB (gzip) that sends page views and custom events to `POST /tracker`. Its first lines
    explain its use. It sets no cookie and stores nothing. Browsers cache it for an hour and then revalidate it by its
    `ETag`.
    """
    if TAG in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=SCRIPT_HEADERS, media_type="text/javascript")
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = SCRIPT_HEADERS | {"Content-Encoding": "gzip"}
        return Response(COMPRESSED, headers=headers, media_type="text/javascript")
    return Response(SCRIPT, headers=SCRIPT_HEADERS, media_type="text/javascript")


@post(
    "/tracker",
    summary="Events of the script for pages",
    tags=["SDKs"],
    status_code=HTTPStatus.ACCEPTED,
    operation_class=operation(body={"application/json": (BODY, EXAMPLE)}),
    responses={202: answer("The events are in the queue.", Queued()), **error_responses(401)},
)
async def tracker_events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts up to 2,500 events, each with the fields of `POST /event`; the content type is ignored. `site_id` is the
    key of the site (SITE_KEYS), by default its site_id. Bad events and events of bots are dropped and counted.

    Without `visitor_id`, a visitor gets one for a day, as in `/api/event`. `sent_at` (milliseconds since 1970) is the
    time of the request by the browser's clock: if that is off, times are corrected by it. An event sent again with the
    same `event_id` counts once.
    """
    return success(Queued(), await receive_events(request, "tracker", parser.parse))


@get(
    "/pixel.gif",
    summary="A page view, by an image",
    tags=["Pages"],
    operation_class=operation(query=Pixel, examples={"site": "shop", "path": "/products/lamp"}),
    responses={
        200: _image("A transparent pixel. The page view is in the queue, or was dropped and counted in the metrics."),
        503: _image("The same image, but the queue did not take the page view; it may after `Retry-After` seconds."),
    },
)
async def pixel(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Accepts a page view of a page without scripts. A visitor gets an id for a day, as in `/api/event`. Every request
    counts: an image has no event id, and cannot send a lost page view again. HEAD counts nothing.
    """
    if IS_HEAD in request.scope:
        return Response(GIF, headers=GIF_HEADERS, media_type="image/gif")
    query = request.query_params
    sent = parser.view(query.get("site"), query.get("path"), request.headers.get("referer"))
    status, headers = HTTPStatus.OK, GIF_HEADERS
    try:
        await receive_events(request, "pixel", lambda *_: [sent], refuse_unknown_keys=False)
    except (Refusal, QueueUnavailable) as error:
        refusal = refusal_for(error)
        if refusal.problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
            status, headers = HTTPStatus.SERVICE_UNAVAILABLE, GIF_HEADERS | refusal.headers
    return Response(GIF, status_code=status, headers=headers, media_type="image/gif")
