"""Prometheus metrics of a connection pool."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: psycopg_pool's name, our name, HELP text. https://www.psycopg.org/psycopg3/docs/advanced/pool.html#pool-stats
GAUGES = (
    ("pool_max", "tjra_pool_connections_max", "Connections that the pool may have."),
    ("pool_size", "tjra_pool_connections", "Connections that the pool has, including those in use."),
    ("pool_available", "tjra_pool_connections_available", "Connections that are idle in the pool."),
    ("requests_waiting", "tjra_pool_requests_waiting", "Requests that wait for a connection now."),
)
COUNTERS = (
    ("requests_num", "tjra_pool_requests", "Requests for a connection."),
    ("requests_queued", "tjra_pool_requests_waited", "Requests for a connection that had to wait."),
    ("requests_errors", "tjra_pool_requests_failed", "Requests for a connection that timed out."),
    ("requests_wait_ms", "tjra_pool_wait_seconds", "Time spent waiting for connections."),
    ("usage_ms", "tjra_pool_usage_seconds", "Time for which connections were in use."),
    ("connections_errors", "tjra_pool_connect_failures", "Failed attempts to connect to PostgreSQL."),
    ("connections_lost", "tjra_pool_connections_lost", "Connections that were found broken."),
)


class PoolMetrics(Collector):
    """Collects the pool's statistics (`get_stats`) at each scrape."""

    def __init__(self, get_stats: Callable[[], Mapping[str, int]]) -> None:
        self.get_stats = get_stats

    def collect(self) -> Iterable[Metric]:
        stats = self.get_stats()
        for key, name, text in GAUGES:
            yield GaugeMetricFamily(name, text, value=stats[key])
        for key, name, text in COUNTERS:
            value = stats.get(key, 0)  # the pool adds each of these at its first use
            yield CounterMetricFamily(name, text, value=value / 1000 if key.endswith("_ms") else value)
