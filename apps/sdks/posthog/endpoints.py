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
from apps.sdks.shared.receive import receive_events
from apps.sdks.shared.resources import sdks_of
from apps.sdks.shared.responses import KEY_REFUSED, EventResult, PosthogAnswer, PosthogResults, error_responses, success
from apps.web.openapi import answer, operation

#: Without `uuid` and `timestamp`, which SDKs set, so that each request from the UI counts.
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
    """The features of PostHog's browser SDK. It skips a feature that is missing here, or requests it again.

    Surveys are missing on purpose: told that there are none, the SDK loads its survey script anyway.
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
    """Accepts up to 2,500 events of PostHog's SDKs: `{"api_key", "batch"}`, one event or a list; the content type is
    ignored. `api_key` is the key of the site (SITE_KEYS), by default its site_id. `uuid` makes it safe to send an event
    again. If `sent_at` shows that the sender's clock is off, times are corrected by it. `distinct_id` becomes
    `user_id`, and `$anon_distinct_id` or `$device_id` beside it `visitor_id`; of somebody who is not identified
    (`$is_identified`) `distinct_id` is the visitor. A visitor without `distinct_id` gets an id for a day from `$ip`.
    `$pageview` becomes `page_view`.

    `/e`, `/capture` and `/i/v0/e` are the same, with or without a trailing slash.
    """
    return success(PosthogAnswer(), await receive_events(request, "posthog", parser.parse))


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
        200: answer("The outcome of each event.", PosthogResults({EVENT_ID: EventResult("ok")})),
        **error_responses(401),
    },
)
async def posthog_events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Accepts events of PostHog's SDKs with `capture_mode=v1`; the key is a bearer token. Otherwise as `/batch`."""
    outcome = await receive_events(request, "posthog", parser.parse)
    results = {uuid: EventResult("ok" if was_queued else "drop") for uuid, was_queued in outcome.events.items()}
    return success(PosthogResults(results), outcome)


def answer_flags() -> Flags:
    """Tells PostHog's SDKs that there are no feature flags. `/decide` is the same."""
    return Flags()


posthog_flags = post(
    "/flags",
    summary="PostHog: no feature flags",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    sync_to_thread=False,
    responses={200: answer("No feature flags.", Flags())},
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
    """Tells PostHog's browser SDK that it may compress events, and that no other feature is available."""
    sdks_of(request).check_key(key)
    return CONFIG


def _script(summary: str, example: str, refusals: Any = KEY_REFUSED) -> dict[str, Any]:
    """The documentation of a script."""
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
    """The settings of the browser SDK as JavaScript. Raises Refusal (401)."""
    sdks_of(request).check_key(key)
    # JSON is JavaScript, but its text must not end a script element that it is copied into.
    name = msgspec.json.encode(key).decode().replace("<", "\\u003c")
    settings = msgspec.json.encode({"config": CONFIG, "siteApps": []}).decode()
    return f"(window._POSTHOG_REMOTE_CONFIG ??= {{}})[{name}] = {settings};\n"


@get(
    "/static/array.js",
    **_script(
        "PostHog: the script that its snippet loads", "/* The script that PostHog's snippet loads ... */", refusals={}
    ),
)
def posthog_script() -> Response[str]:
    """Our own small script for pages with PostHog's snippet: captures, page views, users. Pages that bundle PostHog's
    script (the package posthog-js) do not load it.
    """
    return Response(SCRIPT, headers=SCRIPT_HEADERS, media_type="text/javascript")


@get(["/static/array.full.js", "/static/array.no-external.js"], sync_to_thread=False, include_in_schema=False)
def posthog_script_aliases() -> Response[str]:
    """The same script under the names of other builds of PostHog's script."""
    return Response(SCRIPT, headers=SCRIPT_HEADERS, media_type="text/javascript")


@get(
    "/array/{key:str}/config.js",
    **_script("PostHog: settings of the browser SDK, as a script", "(window._POSTHOG_REMOTE_CONFIG ??= {})..."),
)
def posthog_config_script(request: Request[Any, Any, Any], key: Key) -> Response[str]:
    """The same as `/array/{key}/config`, as a script: the first request of PostHog's browser SDK."""
    return Response(_settings_as_script(request, key), headers=SCRIPT_HEADERS, media_type="text/javascript")


@get("/array/{key:str}/array.js", sync_to_thread=False, include_in_schema=False)
def posthog_script_with_settings(request: Request[Any, Any, Any], key: Key) -> Response[str]:
    """Settings and script in one, for newer snippets."""
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
