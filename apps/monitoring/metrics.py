"""GET /metrics of both apps, and the middleware that measures their requests."""

import os
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.types import ASGIApp, Receive, Send
from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.access.needs import needs
from db.access.scopes import Scope

#: The variable with the folder that all processes of an app behind one port share:
#: https://prometheus.github.io/client_python/multiprocess/
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
#: The route label of unknown paths and the method label of unknown methods: clients must not be able to create series.
OTHER = "other"

EXAMPLE = """\
# HELP tjra_http_request_duration_seconds Time to answer a request.
# TYPE tjra_http_request_duration_seconds histogram
tjra_http_request_duration_seconds_count{method="GET",route="/health",status="200"} 12.0
"""


class Requests:
    """Counts requests and measures their duration, by method, route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "tjra_http_request_duration_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self.series: dict[tuple[str, str, int], Histogram] = {}

    def count(self, method: str, route: str, status: int, *, since: float) -> None:
        """Count an answered request that arrived at `since`, a `perf_counter` time."""
        key = (method, route, status)
        series = self.series.get(key)
        if series is None:  # cached, because `labels` takes longer than the rest of this method
            series = self.series[key] = self.seconds.labels(*key)
        series.observe(perf_counter() - since)


class Measured:
    """ASGI middleware that counts the requests to the Litestar app."""

    def __init__(self, litestar: ASGIApp, requests: Requests) -> None:
        self.litestar = litestar
        self.requests = requests

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.litestar(scope, receive, send)
            return
        start = perf_counter()
        status = 500

        async def note_status(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.litestar(scope, receive, note_status)
        finally:
            method = scope["method"] if scope["method"] in METHODS else OTHER
            self.requests.count(method, scope.get("path_template", OTHER), status, since=start)


class Summed(Collector):
    """The metrics of a registry, summed over all processes that share a folder."""

    def __init__(self, own: CollectorRegistry, folder: str) -> None:
        self.own = own
        self.processes = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        # The files also hold the metrics of other registries, including those of other kinds of processes.
        names = {metric.name for metric in self.own.collect()}
        return [metric for metric in self.processes.collect() if metric.name in names]  # type: ignore[no-untyped-call]


def metrics(own: CollectorRegistry, *shared: Collector) -> HTTPRouteHandler:
    """The handler of GET /metrics.

    `own`: the metrics of this process. If several processes are behind one port, the response has the sum over all, and
    leaves out what cannot be summed: collectors that are not prometheus_client's metrics. `shared`: collectors of
    values that are the same in every process, such as the length of the queue.
    """
    registry = CollectorRegistry()
    folder = os.environ.get(SHARED_FOLDER)
    registry.register(Summed(own, folder) if folder else own)
    for collector in shared:
        registry.register(collector)

    @get(
        "/metrics",
        opt=needs(Scope.OPERATIONS),
        summary="Metrics for Prometheus",
        tags=["operation"],
        sync_to_thread=False,
        responses={
            200: ResponseSpec(
                data_container=str,
                description="The metrics in Prometheus' text format, or in OpenMetrics if `Accept` requests it.",
                media_type="text/plain",
                generate_examples=False,
                examples=[Example(value=EXAMPLE)],
            )
        },
    )
    def get_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """All metrics of this app since its start."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=media_type)

    return get_metrics
