"""The router with the endpoints of all SDKs."""

from litestar import Router

from apps.access.needs import PUBLIC, needs
from apps.sdks.pages import endpoints as pages
from apps.sdks.plausible import endpoints as plausible
from apps.sdks.posthog import endpoints as posthog
from apps.sdks.segment import endpoints as segment
from apps.sdks.segment.rudderstack import source_config
from apps.sdks.shared.responses import sdk_error_response
from apps.sdks.umami import endpoints as umami

sdk_endpoints = Router(
    "/",
    route_handlers=[
        segment.segment_batch,
        segment.segment_batch_aliases,
        segment.segment_call,
        segment.segment_settings,
        source_config,
        segment.jitsu_batch,
        segment.jitsu_batch_alias,
        segment.jitsu_call,
        segment.jitsu_server_call,
        *posthog.posthog_handlers,
        plausible.plausible_event,
        umami.umami_event,
        umami.umami_batch,
        pages.tracker_script,
        pages.tracker_events,
        pages.pixel,
    ],
    opt=needs(PUBLIC),
    exception_handlers={Exception: sdk_error_response},
)
