"""From a request to a report: everything together."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.up.data_dir import DataFolder
from tests.builders.factories import event
from tests.servers.key import ADMIN_KEY
from tests.servers.servers import eventually
from tests.servers.serving import Served

pytestmark = pytest.mark.usefixtures("worker")


def test_an_event_is_in_the_report(ingestion: httpx.Client, reporting: httpx.Client, shop: str, other: str) -> None:
    answer = ingestion.post("/event", json=event(shop, path="/lamp", user_id="ann", timestamp="2026-01-02T03:04:05Z"))
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"

    def report() -> dict[str, object]:
        stats: dict[str, object] = reporting.get("/stats", params={"site_id": shop, "date": "2026-01-02"}).json()
        assert stats["total_views"] == 1
        return stats

    assert eventually(report) == {
        "site_id": shop,
        "date": "2026-01-02",
        "total_views": 1,
        "unique_users": 1,
        "top_paths": [{"path": "/lamp", "views": 1}],
    }
    assert reporting.get("/stats", params={"site_id": other}).json()["total_views"] == 0


README = (Path(__file__).parents[2] / "README.md").read_text()
#: The commands of the first steps, and what they are said to answer.
STEPS = re.findall(r"```sh\n(.*?)```\n.*?```json\n(.*?)```", README, re.S)
#: What a test does where a reader waits: nothing for luck, until all that was sent is stored.
WAIT = """
key="Authorization: Bearer $(cat .tjra/admin-key)"
sleep() {{
    until curl -s -H "$key" '{reporting}/accounting?site_id={site}' | grep -q '"in_flight":0'; do
        command sleep 0.05
    done
}}
"""


def test_the_first_steps_of_the_readme_answer_what_it_says(
    ingestion_server: Served, reporting_server: Served, shop: str, tmp_path: Path
) -> None:
    assert len(STEPS) == 3
    (tmp_path / ".tjra").mkdir()
    DataFolder(tmp_path / ".tjra").write_admin_key(ADMIN_KEY)
    for commands, answer in STEPS:
        theirs = commands.replace("localhost:3000", ingestion_server.url)
        theirs = theirs.replace("localhost:3001", reporting_server.url)
        theirs = theirs.replace('"shop"', f'"{shop}"').replace("site_id=shop", f"site_id={shop}")
        script = WAIT.format(reporting=reporting_server.url, site=shop) + theirs.replace("curl ", "curl -s ")
        said = subprocess.run(
            ["/bin/bash", "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path
        ).stdout
        actual: dict[str, Any] = json.loads(said[said.rindex('{"site_id"') if "3001" in commands else 0 :])
        expected: dict[str, Any] = json.loads(answer.replace('"shop"', f'"{shop}"'))
        if "event_id" in expected:
            actual["event_id"] = expected["event_id"]
        assert expected.items() <= actual.items() if "3001" in commands else actual == expected


def test_no_text_asks_for_a_report_at_once_after_an_event() -> None:
    for text in [Path("README.md"), *Path(__file__).parents[2].glob("apps/**/README.md")]:
        whole = "\n".join(re.findall(r"```sh\n(.*?)```", (Path(__file__).parents[2] / text).read_text(), re.S))
        for between in re.findall(r"localhost:3000/event.*?localhost:3001/\w+", whole, re.S):
            assert "sleep " in between.rpartition("localhost:3000/event")[2], (text, between)
