"""Files and mappings that do not fit each other: what the command says."""

from typing import Any

import pytest

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
