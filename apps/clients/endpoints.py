"""The endpoints of PostHog's, Plausible's and Umami's SDKs, and those of all clients together."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from apps.clients import page_endpoints, plausible, posthog, segment_endpoints, umami
from apps.clients.answers import (
    KEY_REFUSED,
    EventResult,
    PosthogAnswer,
    PosthogResults,
    UmamiAnswer,
    answer_sdk_error,
    done,
    error_answers,
)
from apps.clients.intake import check_key, take
from apps.events import EVENT_ID
from apps.openapi import answer, operation

#: Without what SDKs give each event, `uuid` and `timestamp`: sent twice it counts twice.
POSTHOG_EVENT: dict[str, Any] = {
    "event": "$pageview",
    "distinct_id": "customer-17",
    "properties": {"$current_url": "https://shop.example/products/lamp"},
}
POSTHOG_BATCH = {"type": "object", "properties": {"api_key": {"type": "string"}, "batch": {"type": "array"}}}
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


class Flags(msgspec.Struct, rename="camel"):
    """No feature flags."""

    flags: dict[str, Any] = {}
    feature_flags: dict[str, Any] = {}
    errors_while_computing_flags: Literal[False] = False


class PosthogConfig(msgspec.Struct, rename="camel"):
    """What PostHog's browser SDK may do."""

    supported_compression: list[str]


CONFIG = PosthogConfig(supported_compression=["gzip", "gzip-js"])


async def take_posthog(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes what PostHog's SDKs send, up to 2,500 events: `{"api_key", "batch"}`, one event or a list, whatever the
    content type says. `api_key` names the site (SITE_KEYS), by default by being its site_id. `uuid` and `timestamp`
    are what makes it safe to send an event again. `$pageview` becomes `page_view`.

    `/e`, `/capture` and `/i/v0/e` are the same, with a slash at the end or without.
    """
    return done(PosthogAnswer(), await take(request, "posthog", posthog.parse))


posthog_batch = post(
    "/batch",
    summary="PostHog: events",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(
        body={"application/json": (POSTHOG_BATCH, {"api_key": "shop", "batch": [POSTHOG_EVENT]})}
    ),
    responses={200: answer("The events are in the queue.", PosthogAnswer()), **error_answers(401)},
)(take_posthog)
posthog_aliases = post(["/e", "/capture", "/i/v0/e"], status_code=HTTPStatus.OK, include_in_schema=False)(take_posthog)


@post(
    "/i/v1/analytics/events",
    summary="PostHog: events, newer protocol",
    tags=["SDKs"],
    status_code=HTTPStatus.OK,
    operation_class=operation(
        body={"application/json": (POSTHOG_BATCH, {"api_key": "shop", "batch": [POSTHOG_EVENT]})}
    ),
    responses={
        200: answer("What became of each event.", PosthogResults({EVENT_ID: EventResult("ok")})),
        **error_answers(401),
    },
)
async def posthog_events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Takes what PostHog's SDKs send with `capture_mode=v1`; the key is a bearer token. The rest is as in `/batch`."""
    taken = await take(request, "posthog", posthog.parse)
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
def posthog_config(key: Annotated[str, PathParameter(description="The key of the site.")]) -> PosthogConfig:
    """Tells PostHog's browser SDK that it may compress what it sends, and that there is nothing else here."""
    check_key(key)
    return CONFIG


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
    site_id. Without an `id`, visitors are told apart as Plausible's are, in `/api/event`.
    """
    return done(UmamiAnswer(), await take(request, "umami", umami.parse))


sdk_endpoints = Router(
    "/",
    route_handlers=[
        segment_endpoints.segment_batch,
        segment_endpoints.segment_batch_aliases,
        segment_endpoints.segment_call,
        segment_endpoints.segment_settings,
        segment_endpoints.jitsu_call,
        segment_endpoints.jitsu_server_call,
        posthog_batch,
        posthog_aliases,
        posthog_events,
        posthog_flags,
        posthog_decide,
        posthog_config,
        plausible_event,
        umami_event,
        page_endpoints.tracker_script,
        page_endpoints.tracker_events,
        page_endpoints.pixel,
    ],
    exception_handlers={Exception: answer_sdk_error},
)
