"""Whether the ledger balances, for Prometheus."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from apps.ledger.accounting import DAYS, read_ledger
from apps.reporting_resources import ReportingResources
from apps.web.background import in_background

logger = logging.getLogger(__name__)

#: Seconds between looks.
PAUSE = 30.0


class LedgerMetrics(Collector):
    """Collects what the ledger of the last seven days said at the last look."""

    def __init__(self, resources: ReportingResources) -> None:
        self.resources = resources
        #: Events that are missing and events that were stored too often; None before the first look.
        self.unaccounted: tuple[int, int] | None = None

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on what was seen."""
        return []

    def collect(self) -> Iterator[Metric]:
        if self.unaccounted is None:
            return
        family = GaugeMetricFamily(
            "tjra_ledger_unaccounted_events",
            "Events of the last 7 days that were accepted and are nowhere (missing), or stored too often (excess).",
            labels=["kind"],
        )
        for kind, events in zip(("missing", "excess"), self.unaccounted, strict=True):
            family.add_metric([kind], events)
        yield family

    async def look(self) -> None:
        """Look at the ledger now. Raises QueueUnavailable and psycopg's errors."""
        end = datetime.now(UTC).date() + timedelta(days=1)
        accounts = await read_ledger(self.resources, end - timedelta(days=DAYS), end)
        found = [account.unaccounted for account in accounts]
        missing, excess = sum(max(0, events) for events in found), sum(max(0, -events) for events in found)
        if (missing, excess) not in ((0, 0), self.unaccounted):
            logger.error(
                "the ledger does not balance: %d events are missing, %d were stored too often", missing, excess
            )
        self.unaccounted = missing, excess

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look at it in the background."""
        async with in_background(self._run()):
            yield

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:
                logger.warning("cannot look at the ledger: %s", error)
            await asyncio.sleep(PAUSE)
