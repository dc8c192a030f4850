"""Secrets may be in files, which NAME_FILE names: as Docker's and systemd's secrets are."""

from pathlib import Path

import pytest

from db.access.tokens import new_key
from db.settings import SettingsError, load
from db.settings_sources import SECRETS

VALUES = {
    "DATABASE_URL": "postgresql://ann:secret@db.example/shop",
    "REDIS_URL": "redis://:secret@redis.example:6379/0",
    "ADMIN_KEY": new_key("a"),
    "PG_PASSWORD": "se cret ",
    "POSTGRES_PASSWORD": "secret\nof two lines",
}
SERVER = {"PG_HOST": "db.example"}


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("name", SECRETS)
def test_a_file_is_as_the_variable(tmp_path: Path, name: str, end: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes((VALUES[name] + end).encode())
    others = SERVER if "PASSWORD" in name else {}
    assert load({f"{name}_FILE": str(file), **others}) == load({name: VALUES[name], **others})


def test_only_the_last_newline_is_none_of_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("secret\n\n")
    assert load(SERVER | {"PG_PASSWORD_FILE": str(file)}) == load(SERVER | {"PG_PASSWORD": "secret\n"})


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_wrong_with_it_is_told_with_its_name_and_without_the_secret(tmp_path: Path, name: str) -> None:
    good, empty, binary = tmp_path / "good", tmp_path / "empty", tmp_path / "binary"
    good.write_text(VALUES[name])
    empty.write_text("\n")
    binary.write_bytes(b"\xff")
    variable = f"{name}_FILE"
    for given, told in (
        ({variable: str(good), name: VALUES[name]}, f"{name} and {variable} are both set"),
        ({variable: str(tmp_path / "missing")}, f"{variable} names a file that cannot be read: No such file"),
        ({variable: str(tmp_path)}, f"{variable} names a file that cannot be read: Is a directory"),
        ({variable: str(empty)}, f"{variable} names an empty file"),
        ({variable: str(binary)}, f"{variable} names a file that is no text in UTF-8"),
    ):
        with pytest.raises(SettingsError) as error:
            load(SERVER | given)
        assert told in str(error.value)
        assert VALUES[name] not in str(error.value)


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    file, url = tmp_path / "secret", VALUES["DATABASE_URL"]
    file.write_text(url)
    assert load({"DATABASE_URL_FILE": str(file), "DATABASE_URL": ""}).database_url == url
    assert load({"DATABASE_URL_FILE": "", "DATABASE_URL": url}).database_url == url


def test_a_mistyped_secret_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("tjra_a_mistyped")
    for given in ({"ADMIN_KEY": "tjra_a_mistyped"}, {"ADMIN_KEY_FILE": str(file)}):
        with pytest.raises(SettingsError, match=r"^ADMIN_KEY is mistyped: it should be a key as") as error:
            load(given)
        assert "tjra_a_mistyped" not in str(error.value)
