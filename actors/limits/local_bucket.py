"""The same buckets as bucket.lua's in one process, while Redis cannot answer."""

import math
from time import monotonic
from typing import NamedTuple

#: Buckets that are remembered.
MOST = 10_000
#: How much longer the refill may take at most, after failures: 2 to this.
SLOWEST = 6


class Reply(NamedTuple):
    """What a bucket answers: see bucket.lua."""

    taken: int
    left: int
    until_one: int
    until_full: int


class LocalBuckets:
    """The buckets of one policy."""

    def __init__(self, size: int, refill: int) -> None:
        self.size = size
        self.refill = refill
        self.kept: dict[str, tuple[float, float, int]] = {}

    def ask(self, who: str, *, wanted: int, back: int, failures: int) -> Reply:
        """Take tokens; as bucket.lua, by this process's clock."""
        now = monotonic() * 1000
        tokens, at, failed = self.kept.pop(who, (float(self.size), now, 0))
        if now - at >= max(self.refill, (self.size - tokens) * self._each(failed)):
            tokens, failed = float(self.size), 0
        tokens = min(self.size, tokens + back + (now - at) / self._each(failed))
        taken = max(0, min(wanted, math.floor(tokens)))
        tokens, failed = tokens - taken, failed + failures
        while len(self.kept) >= MOST:
            del self.kept[next(iter(self.kept))]
        self.kept[who] = tokens, now, failed
        each = self._each(failed)
        until_one = math.ceil(max(0, 1 - tokens) * each)
        return Reply(taken, math.floor(tokens), until_one, math.ceil((self.size - tokens) * each))

    def _each(self, failed: int) -> float:
        """Milliseconds until another token is there."""
        return float(self.refill / self.size * 2 ** min(SLOWEST, failed // self.size))
