"""The state of the queue for Prometheus, as last seen by the monitor."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from apps.monitoring.queue_monitor import QueueMonitor


class QueueMetrics(Collector):
    """Collects what an app's monitor has seen: about a second old at most while Redis is available."""

    def __init__(self, monitor: QueueMonitor) -> None:
        self.monitor = monitor

    def describe(self) -> list[Metric]:
        """Nothing: the set of metrics depends on the state."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("tjra_redis_up", "0 while Redis does not answer.", value=not self.monitor.unavailable)
        yield GaugeMetricFamily(
            "tjra_queue_full",
            "1 while no events are taken because the queue is over a limit.",
            value=bool(self.monitor.full),
        )
        if (state := self.monitor.state) is None:
            return
        messages = GaugeMetricFamily("tjra_queue_messages", "Messages in the queue, by place.", labels=["place"])
        for place in ("waiting", "held", "delayed", "filing"):
            messages.add_metric([place], getattr(state, place))
        yield messages
        yield GaugeMetricFamily(
            "tjra_queue_oldest_age_seconds", "Age of the oldest message in the queue.", value=state.oldest_seconds
        )
        yield GaugeMetricFamily("tjra_workers", "Live worker processes.", value=state.workers)
        yield GaugeMetricFamily("tjra_redis_memory_used_bytes", "Memory that Redis uses.", value=state.memory_used)
        if state.memory_limit:
            yield GaugeMetricFamily(
                "tjra_redis_memory_limit_bytes", "Memory that Redis may use.", value=state.memory_limit
            )
