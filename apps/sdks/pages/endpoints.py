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
from apps.sdks.shared.receive import take
from apps.sdks.shared.responses import done, error_responses
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
    # Also for pages that embed only what allows it (Cross-Origin-Embedder-Policy).
    "Cross-Origin-Resource-Policy": "cross-origin",
}
#: A transparent pixel.
GIF = b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
GIF_HEADERS = NOSNIFF | {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin"}

#: Without what the script gives each event, `event_id` and `timestamp`: sent twice it counts twice.
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
    """All is well, for our script."""

    status: Literal["queued"] = "queued"


class Pixel(msgspec.Struct):
    """The parameters of the image."""

    site: Annotated[str, Meta(description="The key of the site, by default its site_id.", examples=["shop"])] = ""
    path: Annotated[
        str,
        Meta(description="The path of the page; left out: that of the `Referer` header.", examples=["/products/lamp"]),
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
    """A script of less than 2 kB (gzip) that sends page views, and what else a page tells it, to `POST /tracker`.
    Its first lines say how to use it. It sets no cookie and stores nothing. Browsers keep it for an hour; then its
    `ETag` tells whether it has changed.
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
    """Takes up to 2,500 events, each with the fields of `POST /event`, whatever the content type says. `site_id` names
    the site (SITE_KEYS), by default by being its site_id. A bad event and one of a bot is dropped and counted.

    Without `user_id`, visitors are told apart as Plausible's are, in `/api/event`. `sent_at` (milliseconds since 1970)
    is when this was sent by the browser's clock: where that is wrong, times are corrected by it. An event that is sent
    again with the same `event_id` counts once.
    """
    return done(Queued(), await take(request, "tracker", parser.parse))


@get(
    "/pixel.gif",
    summary="A page view, by an image",
    tags=["Pages"],
    operation_class=operation(query=Pixel, examples={"site": "shop", "path": "/products/lamp"}),
    responses={
        200: _image("A transparent pixel. The page view is in the queue, or was dropped and counted in the metrics."),
        503: _image("The same, but the queue did not take the page view; `Retry-After` says when it may again."),
    },
)
async def pixel(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Takes a page view of a page without scripts. Visitors are told apart as Plausible's are, in `/api/event`. Each
    request counts: an image has no id by which it would be known again, and no way of sending what was not taken.
    HEAD counts nothing.
    """
    if IS_HEAD in request.scope:
        return Response(GIF, headers=GIF_HEADERS, media_type="image/gif")
    query = request.query_params
    sent = parser.view(query.get("site"), query.get("path"), request.headers.get("referer"))
    status, headers = HTTPStatus.OK, GIF_HEADERS
    try:
        await take(request, "pixel", lambda *_: [sent], refuse_unknown_keys=False)
    except (Refusal, QueueUnavailable) as error:
        refusal = refusal_for(error)
        if refusal.problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
            status, headers = HTTPStatus.SERVICE_UNAVAILABLE, GIF_HEADERS | refusal.headers
    return Response(GIF, status_code=status, headers=headers, media_type="image/gif")
