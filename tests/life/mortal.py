"""Workers and commands that are killed while they are at it."""

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from random import random
from typing import Any

import psycopg
from psycopg import Connection


class Killed(Exception):
    """The command was killed."""


class Mortal(Connection[Any]):
    """A connection whose user is killed after so many statements, between two of them."""

    statements_left: int | None = None

    def execute(self, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        if self.statements_left is not None:
            if self.statements_left == 0:
                raise Killed
            self.statements_left -= 1
        return super().execute(*args, **kwargs)


def killed_while(url: str, work: Callable[[Connection[Any]], object]) -> None:
    """Do some work on a connection of its own and end its backend at some moment, perhaps after it is done."""
    with closing(psycopg.connect(url, autocommit=True, prepare_threshold=None)) as conn:
        pid = conn.info.backend_pid

        def do() -> None:
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                work(conn)

        thread = threading.Thread(target=do)
        thread.start()
        time.sleep(random() * 0.02)
        with closing(psycopg.connect(url, autocommit=True)) as killer:
            killer.execute("select pg_terminate_backend(%s::integer)", [pid])
        thread.join()
