"""The endpoints of PostHog's SDKs."""

from http import HTTPStatus
from importlib import resources
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from apps.events.endpoints import EVENT_ID
from apps.sdks.posthog import parser
from apps.sdks.shared.receive import take
from apps.sdks.shared.resources import sdks_of
from apps.sdks.shared.responses import KEY_REFUSED, EventResult, PosthogAnswer, PosthogResults, done, error_responses
from apps.web.openapi import answer, operation

#: Without what SDKs give each event, `uuid` and `timestamp`: sent twice it counts twice.
POSTHOG_EVENT: dict[str, Any] = {
    "event": "$pageview",
    "distinct_id": "customer-17",
    "properties": {"$current_url": "https://shop.example/products/lamp"},
}
POSTHOG_BATCH = {"type": "object", "properties": {"api_key": {"type": "string"}, "batch": {"type": "array"}}}
POSTHOG_BODY = {"application/json": (POSTHOG_BATCH, {"api_key": "shop", "batch": [POSTHOG_EVENT]})}
Key = Annotated[str, PathParameter(description="The key of the site.")]


class Flags(msgspec.Struct, rename="camel"):
    """No feature flags."""

    flags: dict[str, Any] = {}
    feature_flags: dict[str, Any] = {}
    errors_while_computing_flags: Literal[False] = False


class PosthogConfig(msgspec.Struct, rename="camel"):
    """What PostHog's browser SDK may do. What is not said here it leaves alone, or asks for again.

    Of surveys nothing is said: where it hears that there are none it fetches its script for them all the same.
    """

    supported_compression: list[str]
    has_feature_flags: Literal[False] = False
    autocapture_opt_out: Literal[False] = msgspec.field(default=False, name="autocapture_opt_out")
    session_recording: Literal[False] = False
    heatmaps: Literal[False] = False
    capture_performance: Literal[False] = False
    capture_dead_clicks: Literal[False] = False
    autocapture_exceptions: Literal[False] = False
    site_apps: list[str] = []


CONFIG = PosthogConfig(supported_compression=["gzip", "gzip-js"])
SCRIPT = resources.files(__package__).joinpath("array.js").read_text()
SCRIPT_HEADERS = {"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"}


async def take_posthog(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes what PostHog's SDKs send, up to 2,500 events: `{"api_key", "batch"}`, one event or a list, whatever the
    content type says. `api_key` names the site (SITE_KEYS), by default by being its site_id. `uuid` is
    what makes it safe to send an event again. Where `sent_at` says that the sender's clock is off, times are corrected
    by it; `$ip` tells visitors without `distinct_id` apart. `$pageview` becomes `page_view`.

    `/e`, `/capture` and `/i/v0/e` are the same, with a slash at the end or without.
    """
    return done(PosthogAnswer(), await take(request, "posthog", parser.parse))


posthog_batch = post(
    "/batch",
    summary="PostHog: events",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body=POSTHOG_BODY),
    responses={200: answer("The events are in the queue.", PosthogAnswer()), **error_responses(401)},
)(take_posthog)
posthog_aliases = post(["/e", "/capture", "/i/v0/e"], status_code=HTTPStatus.OK, include_in_schema=False)(take_posthog)


@post(
    "/i/v1/analytics/events",
    summary="PostHog: events, newer protocol",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(body=POSTHOG_BODY),
    responses={
        200: answer("What became of each event.", PosthogResults({EVENT_ID: EventResult("ok")})),
        **error_responses(401),
    },
)
async def posthog_events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes what PostHog's SDKs send with `capture_mode=v1`; the key is a bearer token. The rest is as in `/batch`."""
    taken = await take(request, "posthog", parser.parse)
    results = {uuid: EventResult("ok" if was_taken else "drop") for uuid, was_taken in taken.events.items()}
    return done(PosthogResults(results), taken)


def answer_flags() -> Flags:
    """There are no feature flags here: what PostHog's SDKs hear when they ask. `/decide` is the same."""
    return Flags()


posthog_flags = post(
    "/flags",
    summary="PostHog: no feature flags",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    sync_to_thread=False,
    responses={200: answer("None.", Flags())},
)(answer_flags)
posthog_decide = post("/decide", status_code=HTTPStatus.OK, sync_to_thread=False, include_in_schema=False)(answer_flags)


@get(
    "/array/{key:str}/config",
    summary="PostHog: settings of the browser SDK",
    tags=["SDKs"],
    sync_to_thread=False,
    operation_class=operation(examples={"key": "shop"}),
    responses={200: answer("A constant.", CONFIG), **KEY_REFUSED},
)
def posthog_config(request: Request[Any, Any, Any], key: Key) -> PosthogConfig:
    """Tells PostHog's browser SDK that it may compress what it sends, and that there is nothing else here."""
    sdks_of(request).check_key(key)
    return CONFIG


def _script(summary: str, example: str, refusals: Any = KEY_REFUSED) -> dict[str, Any]:
    """How a script is documented."""
    answers = ResponseSpec(
        data_container=str,
        description="The script.",
        media_type="text/javascript",
        generate_examples=False,
        examples=[Example(value=example)],
    )
    return {
        "summary": summary,
        "tags": ["SDKs"],
        "sync_to_thread": False,
        "operation_class": operation(examples={"key": "shop"}),
        "responses": {200: answers, **refusals},
    }


def _settings_as_script(request: Request[Any, Any, Any], key: str) -> str:
    """Raises Refusal (401)."""
    sdks_of(request).check_key(key)
    # As JSON it is JavaScript, except that no text in it must end a script that it is copied into.
    name = msgspec.json.encode(key).decode().replace("<", "\\u003c")
    settings = msgspec.json.encode({"config": CONFIG, "siteApps": []}).decode()
    return f"(window._POSTHOG_REMOTE_CONFIG ??= {{}})[{name}] = {settings};\n"


@get(
    "/static/array.js",
    **_script("PostHog: the script that its snippet asks for", "/* What PostHog's snippet ... */", refusals={}),
)
def posthog_script() -> Response[str]:
    """A small script of our own for pages with PostHog's snippet: captures, page views, users. Pages that bring
    PostHog's own along, as the package posthog-js, do not ask for it.
    """
    return Response(SCRIPT, headers=SCRIPT_HEADERS, media_type="text/javascript")


@get(["/static/array.full.js", "/static/array.no-external.js"], sync_to_thread=False, include_in_schema=False)
def posthog_script_aliases() -> Response[str]:
    """The same for other builds of PostHog's script."""
    return Response(SCRIPT, headers=SCRIPT_HEADERS, media_type="text/javascript")


@get(
    "/array/{key:str}/config.js",
    **_script("PostHog: settings of the browser SDK, as a script", "(window._POSTHOG_REMOTE_CONFIG ??= {})..."),
)
def posthog_config_script(request: Request[Any, Any, Any], key: Key) -> Response[str]:
    """The same as `/array/{key}/config`, as a script: what PostHog's browser SDK asks for first."""
    return Response(_settings_as_script(request, key), headers=SCRIPT_HEADERS, media_type="text/javascript")


@get("/array/{key:str}/array.js", sync_to_thread=False, include_in_schema=False)
def posthog_script_with_settings(request: Request[Any, Any, Any], key: Key) -> Response[str]:
    """Both, for newer snippets."""
    return Response(_settings_as_script(request, key) + SCRIPT, headers=SCRIPT_HEADERS, media_type="text/javascript")


posthog_handlers = [
    posthog_batch,
    posthog_aliases,
    posthog_events,
    posthog_flags,
    posthog_decide,
    posthog_config,
    posthog_config_script,
    posthog_script,
    posthog_script_aliases,
    posthog_script_with_settings,
]
