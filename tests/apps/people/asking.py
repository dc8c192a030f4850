"""Asking for a person's export in tests."""

import json
from typing import Any
from urllib.parse import quote

import httpx


def exported(reporting: httpx.Client, shop: str, person: str) -> list[dict[str, Any]]:
    """Its lines."""
    answer = reporting.get(f"/people/{quote(person, safe='')}/export", params={"site_id": shop})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]
