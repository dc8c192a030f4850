"""The endpoint that RudderStack's browser SDK needs in addition to Segment's."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get
from msgspec import Meta

from apps.sdks.shared.caller import caller_of
from apps.sdks.shared.resources import sdks_of
from apps.sdks.shared.responses import KEY_REFUSED
from apps.web.openapi import answer, operation


class ConfigQuery(msgspec.Struct):
    """The parameters of GET /sourceConfig."""

    write_key: Annotated[
        str, Meta(description="The key of the site; by default the user of basic authorization.", examples=["shop"])
    ] = msgspec.field(name="writeKey", default="")


class Switch(msgspec.Struct, frozen=True):
    """Whether the SDK sends data about itself."""

    enabled: Literal[False] = False


class StatsCollection(msgspec.Struct, frozen=True):
    """The data that the SDK would send about itself."""

    errors: Switch = Switch()
    metrics: Switch = Switch()


class Config(msgspec.Struct, rename="camel", frozen=True):
    """Settings of a source."""

    stats_collection: StatsCollection = StatsCollection()


class Source(msgspec.Struct, kw_only=True, rename="camel"):
    """A site. It has no destinations: the page sends events to this server only."""

    id: str
    name: str
    write_key: str
    workspace_id: str = ""
    enabled: Literal[True] = True
    config: Config = Config()
    destinations: list[str] = []
    connections: list[str] = []


class SourceConfig(msgspec.Struct):
    """The settings that RudderStack's browser SDK requests before it sends anything."""

    source: Source


@get(
    "/sourceConfig",
    summary="RudderStack: settings of the browser SDK",
    tags=["SDKs"],
    sync_to_thread=False,
    operation_class=operation(query=ConfigQuery, examples={"writeKey": "shop"}),
    responses={
        200: answer("The settings.", SourceConfig(Source(id="shop", name="shop", write_key="shop"))),
        **KEY_REFUSED,
    },
)
def source_config(request: Request[Any, Any, Any]) -> SourceConfig:
    """Tells RudderStack's browser SDK, with this server as its `configUrl`, to send events to this server only."""
    caller = caller_of(request.scope)
    key = caller.query.get("writeKey") or caller.basic or ""
    sdks_of(request).check_key(key)
    return SourceConfig(Source(id=key, name=key, write_key=key))
