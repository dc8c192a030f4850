"""A separator may be of decimals or of thousands: who imports is asked where the values of a column do not show it."""

from pathlib import Path
from typing import Any

import pytest

from apps.importing.rows.decimals import Evidence, as_number, evidence
from tests.apps.importing.test_import_judgement import dry_run

__all__ = ["dry_run"]

ARGUMENTS = ["--set", "event_type=purchase", "--set", "path=/", "--property", "revenue=Betrag", "--set",
             "properties.currency=EUR"]  # fmt: skip


def table(*amounts: str) -> str:
    return "timestamp;Betrag\n" + "".join(f"2024-03-10;{amount}\n" for amount in amounts)


@pytest.mark.parametrize(
    ("amounts", "example", "readings"),
    [
        (["1.234", "12", "999.000"], "1.234", "--decimal , reads 1234, --decimal . reads 1.234"),
        (["1,234", "12"], "1,234", "--decimal , reads 1.234, --decimal . reads 1234"),
        (["7", "-1.234"], "-1.234", "--decimal , reads -1234, --decimal . reads -1.234"),
        (["1.234", "1.234,50", "12.5"], "1.234", "--decimal , reads 1234, --decimal . reads 1.234"),
    ],
)
def test_what_the_values_do_not_decide_is_asked(dry_run: Any, amounts: list[str], example: str, readings: str) -> None:
    said = dry_run(table(*amounts), *ARGUMENTS)
    assert "column 'Betrag': ambiguous: " in said
    assert f"such as '{example}' have a separator" in said
    assert f"does not show which: {readings}; without" in said
    for decimal in (",", "."):
        assert "ambiguous" not in dry_run(table(*amounts), *ARGUMENTS, "--decimal", decimal)


@pytest.mark.parametrize(
    ("amounts", "total", "decimal"),
    [
        (["1.234,50", "1.234"], "2,468.50", ","),
        (["19,90", "1.234"], "1,253.90", ","),
        (["1.234.567", "1.234"], "1,235,801", ","),
        (["12.5", "1.234"], "13.734", "."),
        (["1,234.50", "1,234"], "2,468.50", "."),
        (["0.234", "1.234"], "1.468", "."),
        (["1234.567", "1.234"], "1,235.801", "."),
        (["1'234.50", "1,234"], "2,468.50", "."),
        (["12", "5"], "17", "."),
    ],
)
def test_what_other_values_decide_is_not_asked(dry_run: Any, amounts: list[str], total: str, decimal: str) -> None:
    said = dry_run(table(*amounts), *ARGUMENTS)
    assert "ambiguous" not in said
    read = dry_run(table(*amounts), *ARGUMENTS, "--decimal", decimal)
    assert f"2 orders, 0 refunds: EUR {total} (orders)" in read
    assert "--decimal" not in read
    if f"EUR {total} (orders)" not in said:  # then it names the option that reads them
        assert f"--decimal {decimal} reads" in said


def test_what_is_misread_is_told_although_it_is_a_number(dry_run: Any) -> None:
    said = dry_run(table("1.234", "1.234,50"), *ARGUMENTS)
    assert "column 'Betrag': 1 amounts such as '1.234' are misread, as others such as '1.234,50' have" in said
    said = dry_run(table("1.234", "12.5"), *ARGUMENTS, "--decimal", ",")
    assert "as others such as '12.5' have a decimal point: --decimal . reads them" in said


def test_columns_are_told_apart_and_files_together(dry_run: Any, tmp_path: Path) -> None:
    rows = "timestamp;net;gross\n2024-03-10;1.234;1,5\n"
    said = dry_run(rows, *ARGUMENTS[:4], "--property", "price=net", "--property", "tax=gross")
    assert "column 'net': ambiguous" in said
    assert "column 'gross'" not in said
    (tmp_path / "first.csv").write_text(table("12,50"))
    assert "ambiguous" not in dry_run(table("1.234"), str(tmp_path / "first.csv"), *ARGUMENTS)
    properties = '{"timestamp":"2024-03-10","properties":{"total":"1.234"}}\n'
    assert "column 'properties.total': ambiguous" in dry_run(properties, *ARGUMENTS[:4], name="table.ndjson")
    numbers = '{"timestamp":"2024-03-10","properties":{"total":1.234}}\n'
    assert "ambiguous" not in dry_run(numbers, *ARGUMENTS[:4], name="table.ndjson")


@pytest.mark.parametrize("text", ["", "-", ".5", "a", "1.23.456", "1.234.56", "1,2,3", "1'234,567.8", "\u0661.234"])
def test_what_is_no_amount_is_left_as_it_is(text: str) -> None:
    assert evidence(text) is Evidence.NONE
    assert {as_number(text, ","), as_number(text, ".")} == {text}
