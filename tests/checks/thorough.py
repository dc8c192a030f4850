"""How much is left to chance in a run: TEST_THOROUGH=10 tries ten times as many examples, cases, variants and lives."""

import os
from collections import defaultdict
from random import Random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

#: How many times as many as a run of the suite has.
TIMES = int(os.environ.get("TEST_THOROUGH", "1"))


def examples(number: int) -> settings:
    """So many examples in a run of the suite, however long they take."""
    return settings(max_examples=number * TIMES, deadline=None, suppress_health_check=list(HealthCheck))


#: A run of fewer tests than these tries all variants: it was asked for by name.
MANY = 1_000


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a run of many tests, leave out variants by chance: of a test marked `some(number)` all but so many."""
    if len(items) < MANY:
        return
    # The processes of a run choose the same.
    run = getattr(config, "workerinput", {}).get("testrunuid") or uuid4().hex
    variants = defaultdict(list)
    for item in items:
        if marker := item.get_closest_marker("some"):
            variants[item.nodeid.partition("[")[0], marker.args[0]].append(item)
    left: set[pytest.Item] = set()
    for (name, number), those in variants.items():
        left.update(Random(f"{run} {name}").sample(those, max(0, len(those) - number * TIMES)))
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]
