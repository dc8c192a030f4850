"""Files as others publish them: exact ones, fetched once and then kept in a folder."""

import hashlib
import io
import tarfile
from base64 import b64encode
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the web, or a folder of a package in npm's registry."""

    url: str
    #: As npm states it: sha512, in base64.
    integrity: str
    #: The folder, where it is a package.
    folder: str = ""


class NotThereError(Exception):
    """The file cannot be reached from here."""


def npm(name: str, version: str, integrity: str, folder: str = "") -> Download:
    """A package in npm's registry."""
    file = f"{name.rpartition('/')[2]}-{version}.tgz"
    return Download(
        url=f"https://registry.npmjs.org/{name}/-/{file}",
        integrity=integrity,
        folder=f"package/{folder}".rstrip("/") + "/",
    )


def scripts(download: Download, kept: Path) -> dict[str, bytes]:
    """The scripts in it by their names. Raises NotThereError; ValueError where it is not what it was."""
    file = kept / hashlib.sha256(download.integrity.encode()).hexdigest()
    if not file.exists():
        content = _fetched(download.url)
        found = b64encode(hashlib.sha512(content).digest()).decode()
        if found != download.integrity:
            raise ValueError(f"{download.url} has sha512 {found}, not {download.integrity}")
        part = file.with_suffix(".part")
        part.write_bytes(content)
        part.replace(file)
    content = file.read_bytes()
    if not download.folder:
        return {download.url.rpartition("/")[2]: content}
    with tarfile.open(fileobj=io.BytesIO(content)) as package:
        return {
            member.name.removeprefix(download.folder): opened.read()
            for member in package
            if member.name.startswith(download.folder) and member.name.endswith(".js")
            if (opened := package.extractfile(member))
        }


def _fetched(url: str) -> bytes:
    try:
        answer = httpx.get(url, follow_redirects=True, timeout=httpx.Timeout(60, connect=10))
    except httpx.TransportError as error:
        raise NotThereError(f"{url} cannot be reached: {str(error) or type(error).__name__}") from error
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error:
        raise NotThereError(f"{url} answers {answer.status_code}")
    return answer.raise_for_status().content
