"""A migrated database of each test's own."""

import pytest

from db.migrations import migrate
from tests.db.schema.test_migrations import EmptyDatabase


@pytest.fixture
def url(empty_database: EmptyDatabase) -> str:
    url = empty_database()
    migrate(url)
    return url
