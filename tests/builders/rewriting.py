"""Other texts of queries, for one connection: `conn.cursor_factory = cursor_with({QUERIES[name]: b"..."})`."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncCursor


def cursor_with(texts: Mapping[bytes, bytes]) -> type[AsyncCursor[Any]]:
    """A cursor that runs these texts instead of those that it is given."""

    class Rewriting(AsyncCursor[Any]):
        async def execute(self, query: Any, *args: Any, **options: Any) -> "Rewriting":
            await super().execute(texts.get(query, query), *args, **options)
            return self

    return Rewriting
