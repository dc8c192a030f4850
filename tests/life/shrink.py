"""Of a life that goes wrong, the shortest sequence of steps that still does."""

import msgspec

from tests.life.counting.asking import Mismatch
from tests.life.databases import Databases
from tests.life.life import live
from tests.life.writing.steps import Life, Message, Store

#: Lives that are tried.
TRIES = 150


def shortest(life: Life, databases: Databases, *, fault: str | None = None) -> Life:
    """Leave out steps, and then events, for as long as it still goes wrong."""
    tries = TRIES

    def goes_wrong(other: Life) -> bool:
        nonlocal tries
        tries -= 1
        try:
            with databases.fresh() as url:
                live(other, url, questions=12, audits=4, fault=fault)
        except Mismatch:
            return True
        except Exception:
            return False
        return False

    life = msgspec.structs.replace(life, landed=min(life.landed, 1) and life.landed)
    for parts in ("steps", "events"):
        size = max(1, _length(life, parts) // 2)
        while size and tries > 0:
            start = 0
            while start < _length(life, parts) and tries > 0:
                other = _without(life, parts, start, size)
                if other.steps and goes_wrong(other):
                    life = other
                else:
                    start += size
            size //= 2
    return life


def written(life: Life) -> str:
    """The life as text: what can be kept as a test."""
    return msgspec.json.format(msgspec.json.encode(life), indent=1).decode()


def _length(life: Life, parts: str) -> int:
    return len(life.steps) if parts == "steps" else sum(len(_events(step)) for step in life.steps)


def _events(step: object) -> list[tuple[Message, int]]:
    messages = step.messages if isinstance(step, Store) else []
    return [(message, place) for message in messages for place in range(len(message.events))]


def _without(life: Life, parts: str, start: int, size: int) -> Life:
    if parts == "steps":
        kept = life.steps[:start] + life.steps[start + size :]
        return msgspec.structs.replace(
            life, steps=kept, landed=max(0, min(life.landed, len(kept)) - (start < life.landed))
        )
    other = msgspec.json.decode(msgspec.json.encode(life), type=Life)
    places = [place for step in other.steps for place in _events(step)][start : start + size]
    for message, place in reversed(places):
        del message.events[place]
    return other
