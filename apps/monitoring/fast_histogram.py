"""A histogram for what happens ten thousand times a second, on one thread of one process.

prometheus_client's takes a lock for each of its values, 1.4 µs an observation: a twentieth of a POST /event. This one
takes 0.4. What several processes count together needs prometheus_client's.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import INF, floatToGoString


class Series:
    """The observations with one set of labels."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * len(bounds)
        self.total = 0.0

    def observe(self, amount: float) -> None:
        self.counts[bisect_left(self.bounds, amount)] += 1
        self.total += amount

    def buckets(self) -> Iterable[tuple[str, float]]:
        """Each bound, and how many observations were at most that."""
        count = 0
        for bound, more in zip(self.bounds, self.counts, strict=True):
            count += more
            yield str(floatToGoString(bound)), count  # type: ignore[no-untyped-call]


class FastHistogram(Collector):
    """Made and used as prometheus_client's Histogram is; every series has labels."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str], *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self.name = name
        self.text = text
        self.names = labels
        self.bounds = [*buckets, INF]
        self.series: dict[tuple[str, ...], Series] = {}
        registry.register(self)

    def labels(self, *values: object) -> Series:
        """The series with these labels, to be kept by whoever observes often."""
        return self.series.setdefault(tuple(str(value) for value in values), Series(self.bounds))

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self.name, self.text, labels=self.names)
        for values, series in self.series.items():
            family.add_metric(values, buckets=list(series.buckets()), sum_value=series.total)
        yield family
