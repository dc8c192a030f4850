"""What is no day, time, number, boolean or name is refused in plain words, by every operation that takes one."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.apps.web.test_openapi import operations

#: What the type of a parameter is called, in OpenAPI.
WORDS = {"date": "a day such as", "date-time": "a time with an offset such as", "integer": "a whole number",
         "number": "a number", "boolean": "true or false", "enum": "is not one of"}  # fmt: skip


def kinds(schema: dict[str, Any]) -> set[str]:
    """The types that a text has to be converted to; none for text."""
    parts = [schema, *schema.get("anyOf", ())]
    found = {part.get("format") or ("enum" if "enum" in part else part.get("type")) for part in parts}
    return found & WORDS.keys()


def cases(client: httpx.Client) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Method, path, what its type is called, and parameters of which one is wrong, of all operations."""
    for name, operation in operations(client).items():
        method, path = name.split()
        given = operation.get("parameters") or []
        for one in given:
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", str(one["example"]))
        needed = {one["name"]: str(one["example"]) for one in given if one["required"] and one["in"] == "query"}
        for one in given:
            if one["in"] == "query" and (found := kinds(one["schema"])):
                yield method, path, WORDS[found.pop()], needed | {one["name"]: "02.01.2026"}


def test_each_wrong_parameter_is_told_in_plain_words(reporting: httpx.Client) -> None:
    tried = set()
    for method, path, words, parameters in cases(reporting):
        refused = reporting.request(method, path, params=parameters)
        assert refused.status_code == 400, (method, path, parameters)
        (error,) = refused.json()["errors"]
        assert words in error["reason"], (method, path, error)
        assert not re.search("RFC|ISO|`|Expected|Invalid|got", error["reason"]), error
        tried.add(words)
    assert tried >= {
        "a day such as",
        "a time with an offset such as",
        "a whole number",
        "true or false",
        "is not one of",
    }


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("value", ["02.01.2026", "2026-01-31T12:00:00", "1767225600", "2026-01-32"])
def test_the_bounds_of_a_range_are_told_in_the_same_words(reporting: httpx.Client, name: str, value: str) -> None:
    parameters = {"site_id": "shop", "from": "2026-01-01"} | {name: value}
    (error,) = reporting.get("/timeseries", params=parameters).json()["errors"]
    assert error["field"] == name
    words = "should be a day such as 2026-01-31, or a time with an offset such as 2026-01-31T12:00:00Z"
    assert error["reason"] == words
