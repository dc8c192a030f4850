"""A limit over all processes: token buckets in Redis, by its clock, from which each process takes a few tokens at once.

Redis is no new point of failure: while it cannot answer there is no limit, or one a process.
"""

import asyncio
import logging
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import msgspec
from redis.exceptions import RedisError

from actors.limits.local_bucket import LocalBuckets, Reply
from actors.queue.producer import Producer

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("bucket.lua").read_text()
#: Seconds within which Redis has to answer, and for which it is not asked again where it has not.
TIMEOUT, PAUSE = 0.25, 1.0
#: A process takes at most this many tokens at once, and at most this part of a bucket, so that most requests cost no
#: round trip. What it has not used is a bucket's due beyond its size: some 2 % a process.
MOST_AT_ONCE, PART = 10, 60
#: Those whose tokens are remembered.
MOST = 10_000


class Policy(NamedTuple):
    """How many tokens a bucket has, and in how many seconds an empty one refills."""

    name: str
    size: int
    seconds: int


class Standing(NamedTuple):
    """How somebody stands with a limit."""

    allowed: bool
    left: int
    """Tokens that are left."""
    until_one: float
    """Seconds until there is a token."""
    until_full: float
    """Seconds until all are there."""


class Share(msgspec.Struct):
    """What this process knows of a bucket, and has taken from it."""

    own: int = 0
    """Tokens that were taken and not used; below zero: used and not taken."""
    left: int = 0
    taken_at: float = 0.0
    one_at: float = 0.0
    full_at: float = 0.0
    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)


class Limiter:
    """The buckets of one policy, in one process."""

    def __init__(self, producer: Producer, policy: Policy, *, local: bool = False) -> None:
        """local: while Redis cannot answer, this process has buckets of its own; else there is no limit."""
        self.policy = policy
        self.script = producer.client.register_script(SCRIPT)
        self.prefix = f"{producer.broker.namespace}:limit:{policy.name}:"
        self.at_once = max(1, min(MOST_AT_ONCE, policy.size // PART))
        self.shares: dict[str, Share] = {}
        self.local = LocalBuckets(policy.size, policy.seconds * 1000) if local else None
        self.asks_again = 0.0

    async def take(self, who: str) -> Standing | None:
        """Take one token; None: there is no limit now."""
        share = self._share(who)
        if standing := self._known(share):
            return standing
        async with share.lock:  # what one of them gets is for all who wait
            if standing := self._known(share):
                return standing
            if not await self._settle(who, share, wanted=self.at_once):
                return None
            return self._known(share) or self._standing(share, allowed=False)

    async def charge(self, who: str, tokens: int) -> Standing | None:
        """Take more tokens for what was allowed already, whether they are there or not."""
        share = self._share(who)
        share.own -= tokens
        if share.own < 0:  # the other processes have to know
            async with share.lock:
                if share.own < 0 and not await self._settle(who, share, wanted=0):
                    return None
        return self._standing(share, allowed=True)

    async def failed(self, who: str) -> None:
        """Note a failure: they make the refill slower."""
        await self._ask(who, wanted=0, back=0, failures=1)

    def _share(self, who: str) -> Share:
        share = self.shares.get(who)
        if share is None:
            while len(self.shares) >= MOST:
                del self.shares[next(iter(self.shares))]
            share = self.shares[who] = Share()
        return share

    def _known(self, share: Share) -> Standing | None:
        """How somebody stands by what this process knows, and one token less of what it has; None: it has to ask."""
        now = monotonic()
        if share.own > 0:
            share.own -= 1
            return self._standing(share, allowed=True)
        return self._standing(share, allowed=False) if now < share.one_at else None

    def _standing(self, share: Share, *, allowed: bool) -> Standing:
        now = monotonic()
        refilled = (now - share.taken_at) * self.policy.size / self.policy.seconds
        left = max(0, min(self.policy.size - 1, int(share.left + share.own + refilled))) if allowed else 0
        return Standing(allowed, left, max(0.0, share.one_at - now), max(0.0, share.full_at - now))

    async def _settle(self, who: str, share: Share, *, wanted: int) -> bool:
        """Give back what was not used, or take what was used; and take more. False: there is no limit now."""
        back, share.own = share.own, 0
        reply = await self._ask(who, wanted=wanted, back=back, failures=0)
        if reply is None:
            return False
        now = monotonic()
        share.own += reply.taken
        share.left, share.taken_at, share.full_at = reply.left, now, now + reply.until_full / 1000
        share.one_at = 0.0 if reply.taken else now + reply.until_one / 1000
        return True

    async def _ask(self, who: str, *, wanted: int, back: int, failures: int) -> Reply | None:
        """What Redis answers, or else this process's own bucket, if it has any."""
        if monotonic() >= self.asks_again:
            arguments = (self.policy.size, self.policy.seconds * 1000, wanted, back, failures)
            try:
                async with asyncio.timeout(TIMEOUT):
                    return Reply(*await self.script([self.prefix + who], arguments))
            except (RedisError, TimeoutError) as error:
                logger.warning("limits of %s hold in this process only, or not at all: %s", self.policy.name, error)
                self.asks_again = monotonic() + PAUSE
        return self.local.ask(who, wanted=wanted, back=back, failures=failures) if self.local else None
