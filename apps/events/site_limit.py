"""The limit of a site: EVENTS_PER_SECOND_OF_A_SITE."""

from collections import Counter
from collections.abc import Mapping

from actors.limits.limiter import Limiter, Policy
from actors.queue.producer import Producer, SiteDay
from apps.access.limits import over
from apps.events.metrics import OVER_LIMIT

#: Seconds for whose events a site may send at once.
BURST = 10


class SiteLimit:
    """Refuses the events of a site that sends more than so many a second, over all processes."""

    def __init__(self, producer: Producer, per_second: int) -> None:
        self.per_second = per_second
        self.limiter = Limiter(producer, Policy("events", per_second * BURST, BURST))

    async def __call__(self, counts: Mapping[SiteDay, int]) -> None:
        """Count these events. Raises Refusal (429) if a site has no more left.

        A batch counts whole: what it takes more than there is keeps the next ones waiting.
        """
        sites: Counter[str] = Counter()
        for (site, _), events in counts.items():
            sites[site] += events
        taken: list[str] = []
        for site in sites:
            standing = await self.limiter.take(site)
            if standing and not standing.allowed:
                for one in taken:
                    await self.limiter.charge(one, -1)
                OVER_LIMIT.inc(sites.total())
                raise over(standing.until_one, f"site {site!r} may send {self.per_second} events a second")
            taken.append(site)
        for site, events in sites.items():
            if events > 1:
                await self.limiter.charge(site, events - 1)
