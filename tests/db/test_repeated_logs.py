"""A fault that lasts, such as a full disk, does not flood the log: alike lines are counted, others all written."""

import io
import logging
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from db import logs
from tests.conftest import Connection


class Periodic:
    """A time that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Log:
    """A logger of the test's own, and what it has written."""

    def __init__(self) -> None:
        self.clock = Periodic()
        self.handler = logs.Lines(self.clock)
        self.handler.setStream(io.StringIO())
        self.handler.setFormatter(logging.Formatter("%(message)s"))
        self.logger = logging.Logger("test")
        self.logger.addHandler(self.handler)

    def lines(self) -> list[str]:
        written: str = self.handler.stream.getvalue()
        return written.splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.handler.close()


def test_lines_that_differ_in_numbers_only_are_counted(log: Log) -> None:
    for number in range(1_000):
        log.logger.warning("next try in %.1f s: %s", number / 7, OSError("No space left on device"))
        log.logger.warning("message 0190f3a4-1c2d-7e3f-8a4b-%012x is stuck", number)
    assert len(log.lines()) == 6
    log.clock.now = 61
    log.logger.info("all is well")
    told = log.lines()[6:]
    assert told == [
        "next try in 142.7 s: No space left on device (the last of 997 more lines like this in 60 s)",
        "message 0190f3a4-1c2d-7e3f-8a4b-0000000003e7 is stuck (the last of 997 more lines like this in 60 s)",
        "all is well",
    ]
    log.logger.warning("next try in %.1f s: %s", 1, OSError("No space left on device"))
    assert log.lines()[-1] == "next try in 1.0 s: No space left on device"  # it is told again


def test_what_is_not_alike_and_what_is_no_fault_is_all_written(log: Log) -> None:
    for site in "abcdefghij":
        log.logger.error("site %s cannot be moved on", site)
    for _ in range(10):
        log.logger.info("stored %d events", 1)
    assert len(log.lines()) == 20


def test_what_was_counted_is_told_at_the_end(log: Log) -> None:
    for _ in range(9):
        log.logger.error("Redis: %s", "MISCONF Errors writing to the AOF file: No space left on device")
    written = log.handler.stream
    log.handler.close()
    assert written.getvalue().splitlines()[-1].endswith("(the last of 6 more lines like this in 60 s)")


def test_a_traceback_is_told_by_its_error_and_a_long_message_is_cut(log: Log) -> None:
    for number in range(20):
        try:
            raise ValueError(f"no room for {number}")
        except ValueError:
            log.logger.exception("failed to process %s", f"store_events({str(number) * 10_000})")
    assert sum(line.startswith("ValueError") for line in log.lines()) == 3
    assert max(map(len, log.lines())) < 2_100


def test_an_error_of_postgresql_is_a_line_without_its_sql(log: Log, conn: Connection) -> None:
    statement = "do $$ begin perform 1; raise disk_full using message = 'no space\nleft', hint = 'Make\nroom.'; end $$"
    with pytest.raises(psycopg.errors.DiskFull) as error:
        conn.execute(statement)
    assert "CONTEXT" in str(error.value)
    log.logger.warning("next try in %.1f s: %s", 0.1, error.value)
    assert log.lines() == ["next try in 0.1 s: no space left; Make room."]


def test_each_process_logs_so() -> None:
    program = """
import logging
from db import logs
from db.settings import Settings
logs.configure(Settings())
print([type(handler) is logs.Lines for handler in logging.getLogger().handlers])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[True]\n"
