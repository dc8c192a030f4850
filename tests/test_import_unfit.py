"""Files and mappings that do not fit each other: what the command says."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from apps.cli import main
from apps.importing.records import Unusable
from tests.test_import_tables import NOON, VIEW, import_csv, import_ndjson

__all__ = ["import_csv", "import_ndjson"]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"columns": {"path": "place"}}, ["no column 'place'", "--column path=place", "event_type, path, timestamp"]),
        ({"properties": {"n": "note"}}, ["no column 'note'", "--property n=note"]),
        ({"columns": {"timestamp": ""}}, ["nothing says the timestamp"]),
        ({"columns": {"user_id": "twice"}}, ["several columns 'twice'"]),
    ],
)
def test_a_mapping_that_does_not_fit_names_the_columns_there_are(
    import_csv: Any, mapping: Any, words: list[str]
) -> None:
    with pytest.raises(Unusable) as error:
        import_csv(f"event_type,path,timestamp,twice,twice\npage_view,/,{NOON},,\n", **mapping)
    for part in ["events.csv", *words]:
        assert part in str(error.value)


def test_a_json_array_is_told_how_to_become_ndjson(import_ndjson: Any) -> None:
    with pytest.raises(Unusable, match="jq"):
        import_ndjson([VIEW])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "punycode", "idna", "latn1"])
@pytest.mark.parametrize("name", ["views.csv", "views.ndjson", "views.log", "views.csv.gz"])
def test_an_encoding_that_the_file_does_not_have_is_told_in_a_line(tmp_path: Path, encoding: str, name: str) -> None:
    path = tmp_path / name
    text = f"timestamp,path,event_type\n{NOON},/,page_view\n".encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    done = CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run", "--encoding", encoding])
    assert done.exit_code in (1, 2)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "--encoding" in last
    assert encoding in last
