"""How much is left to chance in a run: TEST_THOROUGH=10 tries ten times as many examples, cases and lives."""

import os

from hypothesis import HealthCheck, settings

#: How many times as many as a run of the suite has.
TIMES = int(os.environ.get("TEST_THOROUGH", "1"))


def examples(number: int) -> settings:
    """So many examples in a run of the suite, however long they take."""
    return settings(max_examples=number * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
