"""Secrets of keys and logins: how they are made, recognized and hashed.

A key is `tjra_`, a letter for its kind, `_`, 256 random bits and a checksum. A scanner of source code can find it, and
a mistyped one is refused without a query.
"""

import hashlib
import re
import secrets
import string
import zlib

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Digits of base 62 for 256 random bits, and for a CRC-32.
SECRET, CHECKSUM = 43, 6
PATTERN = re.compile(rf"tjra_[a-z]_[0-9A-Za-z]{{{SECRET + CHECKSUM}}}")
#: What people copy along with a key; and characters that begin as one does and may still be a name.
QUOTES, LONGEST_NAME = " \t\"'`", 40
#: Characters by which people recognize a key.
PREFIX = 12


def new_key(kind: str) -> str:
    """A new key; `kind` is a lower-case letter."""
    key = f"tjra_{kind}_{_base62(secrets.randbits(256), SECRET)}"
    return key + _checksum(key)


def new_login() -> str:
    """A new secret for the cookie of a login."""
    return secrets.token_urlsafe(32)


def is_key(text: str) -> bool:
    """Whether a text has the form of a key and its checksum is right."""
    return PATTERN.fullmatch(text) is not None and text[-CHECKSUM:] == _checksum(text[:-CHECKSUM])


def is_meant_as_key(text: object) -> bool:
    """Whether a text is a key or a mistyped one, and so not a name of anything else."""
    if not isinstance(text, str) or text[:6].strip(QUOTES)[:4].lower() != "tjra":
        return False
    bare = text.strip(QUOTES).lower()
    return bare.startswith("tjra_") and (bare[6:7] == "_" or len(bare) > LONGEST_NAME)


def hash_of(secret: str) -> bytes:
    """What is stored of a secret. A slow hash would add nothing, as 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(key: str) -> str:
    return _base62(zlib.crc32(key.encode()), CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = ""
    while len(digits) < length:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits
