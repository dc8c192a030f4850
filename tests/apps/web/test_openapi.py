"""The OpenAPI documents describe what there is, and their UI needs nothing from elsewhere."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.servers.key import AUTHORIZED


@pytest.fixture(params=["ingestion", "reporting"])
def client(request: pytest.FixtureRequest) -> httpx.Client:
    client: httpx.Client = request.getfixturevalue(request.param)
    return client


def operations(client: httpx.Client) -> dict[str, dict[str, Any]]:
    document = client.get("/schema/openapi.json", headers=AUTHORIZED).json()
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_ui_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    page = client.get("/schema", headers=AUTHORIZED)
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text.partition("<body")[0])
    addresses += re.findall(r"(?:src|href)='([^']+)'", page.text.partition("<body")[0])
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/schema/assets/")
        asset = client.get(address, headers=AUTHORIZED)
        assert asset.status_code == 200
        assert len(asset.content) > 500
        assert asset.headers["content-type"].partition(";")[0] in {"text/javascript", "text/css", "image/png"}


def test_browsers_find_an_icon_where_no_page_names_one(client: httpx.Client) -> None:
    icon = client.get("/favicon.ico", headers={"Authorization": ""})
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/png")


def test_no_other_file_is_served(client: httpx.Client) -> None:
    for name in ("swagger-ui.js.map", "..%2f__init__.py", "__init__.py"):
        assert client.get(f"/schema/assets/{name}", headers=AUTHORIZED).status_code == 404


def test_every_operation_says_what_it_does_and_shows_its_answers(client: httpx.Client) -> None:
    for name, operation in operations(client).items():
        assert operation["summary"], name
        assert len(operation["description"]) > 30, name
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            for media_type, content in answer["content"].items():
                assert content["examples"], (name, status, media_type)


def test_every_body_and_parameter_has_an_example(client: httpx.Client) -> None:
    for name, operation in operations(client).items():
        for parameter in operation.get("parameters") or []:
            assert parameter["description"], (name, parameter["name"])
            assert "schema" in parameter
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            assert content["schema"], (name, media_type)
            assert content["examples"], (name, media_type)


def test_every_number_that_may_be_given_has_bounds(client: httpx.Client) -> None:
    """Beyond those of PostgreSQL's types a query fails."""
    for name, operation in operations(client).items():
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            for kind in schema.get("anyOf", [schema]):
                if kind.get("type") in ("integer", "number"):
                    assert {"minimum", "maximum"} <= kind.keys(), (name, parameter["name"])


def test_a_number_fits_one_of_the_types_of_a_response(client: httpx.Client) -> None:
    """With `oneOf` a whole number that may be an integer or a number is neither."""
    schemas = client.get("/schema/openapi.json", headers=AUTHORIZED).json()["components"]["schemas"]
    wrong = [
        (name, field)
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if {"integer", "number"} <= {one.get("type") for one in described.get("oneOf", [])}
    ]
    assert wrong == []


def test_an_answer_of_several_types_may_fit_more_than_one(client: httpx.Client) -> None:
    for name, operation in operations(client).items():
        for answer in operation["responses"].values():
            assert all("oneOf" not in content.get("schema", {}) for content in answer["content"].values()), name


def test_the_events_endpoints_document_their_errors(ingestion: httpx.Client) -> None:
    for name in ("POST /event", "POST /events"):
        assert set(operations(ingestion)[name]["responses"]) == {"202", "400", "401", "403", "408", "413", "415", "503"}


def test_the_examples_are_accepted(ingestion: httpx.Client) -> None:
    for name in ("POST /event", "POST /events"):
        for media_type, content in operations(ingestion)[name]["requestBody"]["content"].items():
            for example in content["examples"].values():
                body = {"content": example["value"]} if media_type != "application/json" else {"json": example["value"]}
                answer = ingestion.post(name.split()[1], headers={"content-type": media_type}, **body)
                assert answer.status_code == 202, answer.text


def test_the_examples_of_sdks_are_accepted(ingestion: httpx.Client) -> None:
    documented = {name: one for name, one in operations(ingestion).items() if "SDKs" in one["tags"]}
    with_body = {name: one["requestBody"]["content"] for name, one in documented.items() if "requestBody" in one}
    assert len(with_body) == 10
    for name, content in with_body.items():
        headers = {"authorization": "Bearer shop"}
        body = content["application/json"]["examples"]["example"]["value"]
        answer = ingestion.post(name.split()[1].replace("{call}", "track"), json=body, headers=headers)
        assert str(answer.status_code) in documented[name]["responses"]
        assert answer.headers["x-message-id"], answer.text


def test_what_is_required_has_an_example_and_what_is_optional_is_left_out(client: httpx.Client) -> None:
    chosen = set()
    for name, operation in operations(client).items():
        for parameter in operation.get("parameters") or []:
            if parameter["required"]:
                assert parameter["example"] not in (None, ""), (name, parameter["name"])
            elif "example" in parameter:
                chosen.add((name, parameter["name"]))
    assert chosen <= {
        ("GET /live/stream", "seconds"),  # else it would not end
        ("GET /pixel.gif", "site"),
        ("GET /pixel.gif", "path"),
        ("GET /sourceConfig", "writeKey"),  # browsers cannot be told to send it as the user
        ("POST /dead-letters/replay", "state"),
        ("POST /dead-letters/discard", "state"),
        # So that the first click changes nothing.
        ("POST /dead-letters/replay", "dry_run"),
        ("POST /dead-letters/discard", "dry_run"),
        ("PUT /timezone", "dry_run"),
        ("PUT /sites/{site_id}", "dry_run"),
        ("DELETE /sites/{site_id}", "dry_run"),
        ("POST /keys", "dry_run"),
        ("POST /keys/share", "dry_run"),
        ("POST /keys/{key_id}/rotate", "dry_run"),
        ("DELETE /keys/{key_id}", "dry_run"),
    }


def test_no_example_of_a_body_has_an_id_or_a_time_of_its_own(client: httpx.Client) -> None:
    fixed = re.compile(r'"(event_id|timestamp|messageId|uuid|order_id)"|\b20\d\d-\d\d-\d\d|[0-9a-f]{8}-[0-9a-f]{4}-')
    for name, operation in operations(client).items():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for example in content["examples"].values():
                if name != "PUT /imports/{import_id}":  # when an import began and ended; a second click changes nothing
                    assert not fixed.search(json.dumps(example["value"])), name


def test_the_letter_of_the_example_can_be_tried_and_is_nowhere(reporting: httpx.Client) -> None:
    (parameter,) = operations(reporting)["GET /dead-letters/{letter_id}"]["parameters"]
    letter = f"/dead-letters/{parameter['example']}"
    shown = reporting.get(letter)
    assert shown.json()["id"] == parameter["example"]
    for answer in (reporting.post(f"{letter}/replay"), reporting.post(f"{letter}/discard"), reporting.get(letter)):
        assert (answer.status_code, answer.json()) == (200, shown.json())
    refused = reporting.post(f"{letter}/replay", json={"site_id": "shop"})
    assert {error["field"] for error in refused.json()["errors"]} == {"event_type", "path"}
    listed = reporting.get("/dead-letters", params={"site_id": "shop"}).json()["dead_letters"]
    assert parameter["example"] not in {one["id"] for one in listed}
