"""The state of the queue for Prometheus, as the watch has seen it last."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from apps.monitoring.queue_monitor import QueueMonitor


class QueueMetrics(Collector):
    """Collects what an app's watch has seen: no more than about a second old while Redis is there."""

    def __init__(self, watch: QueueMonitor) -> None:
        self.watch = watch

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on what was seen."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("tjra_redis_up", "0 while Redis does not answer.", value=not self.watch.unavailable)
        yield GaugeMetricFamily(
            "tjra_queue_full",
            "1 while no events are taken because the queue is past a bound.",
            value=bool(self.watch.full),
        )
        if (state := self.watch.state) is None:
            return
        messages = GaugeMetricFamily(
            "tjra_queue_messages", "Messages of the queue, by where they are.", labels=["place"]
        )
        for place in ("waiting", "held", "delayed", "filing"):
            messages.add_metric([place], getattr(state, place))
        yield messages
        yield GaugeMetricFamily(
            "tjra_queue_oldest_age_seconds", "Age of the oldest message in the queue.", value=state.oldest_seconds
        )
        yield GaugeMetricFamily("tjra_workers", "Worker processes that live.", value=state.workers)
        yield GaugeMetricFamily("tjra_redis_memory_used_bytes", "Memory that Redis uses.", value=state.memory_used)
        if state.memory_limit:
            yield GaugeMetricFamily("tjra_redis_memory_limit_bytes", "Memory it may use.", value=state.memory_limit)
