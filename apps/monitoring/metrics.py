"""GET /metrics of both apps, and the measuring of their requests."""

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

#: Where the processes of an app behind one port meet: https://prometheus.github.io/client_python/multiprocess/
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
#: The route of every path that is unknown, and the method of all others: clients must not be able to make series.
OTHER = "other"

EXAMPLE = """\
# HELP tjra_http_request_duration_seconds Time to answer a request.
# TYPE tjra_http_request_duration_seconds histogram
tjra_http_request_duration_seconds_count{method="GET",route="/health",status="200"} 12.0
"""


class Requests:
    """Counts requests and the time that they took, by method, route and status."""

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
        """Count a request that came at `since`, by `perf_counter`, and has been answered."""
        key = (method, route, status)
        series = self.series.get(key)
        if series is None:  # `labels` takes longer than all the rest
            series = self.series[key] = self.seconds.labels(*key)
        series.observe(perf_counter() - since)


class Measured:
    """An ASGI app that counts the requests to the Litestar app inside."""

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
    """What is in a registry, summed over all processes that share a folder."""

    def __init__(self, own: CollectorRegistry, folder: str) -> None:
        self.own = own
        self.processes = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        # The files also hold what other parts of the program count, whether they run in these processes or not.
        names = {metric.name for metric in self.own.collect()}
        return [metric for metric in self.processes.collect() if metric.name in names]  # type: ignore[no-untyped-call]


def metrics(own: CollectorRegistry, *shared: Collector) -> HTTPRouteHandler:
    """The handler of GET /metrics.

    `own` is what this process counts; where several are behind one port, the answer has the sum over them all, and
    leaves out what cannot be summed: that of collectors that are not prometheus_client's metrics. `shared` collect
    what is the same whichever process is asked, such as the length of the queue.
    """
    registry = CollectorRegistry()
    folder = os.environ.get(SHARED_FOLDER)
    registry.register(Summed(own, folder) if folder else own)
    for collector in shared:
        registry.register(collector)

    @get(
        "/metrics",
        summary="Metrics for Prometheus",
        tags=["operation"],
        sync_to_thread=False,
        responses={
            200: ResponseSpec(
                data_container=str,
                description="The metrics, in Prometheus' text format; in OpenMetrics if `Accept` asks for that.",
                media_type="text/plain",
                generate_examples=False,
                examples=[Example(value=EXAMPLE)],
            )
        },
    )
    def get_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Everything that this app counts, since its start."""
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=media_type)

    return get_metrics
