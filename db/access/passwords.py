"""Passwords, which people choose: a slow hash makes each guess cost memory and time."""

import hashlib
import hmac
import secrets

#: Scrypt's costs: 32 MiB and a part of a second of a core (RFC 7914 calls them N, r and p).
COST, BLOCK, LANES = 2**15, 8, 1
#: Bytes that scrypt may use, of a salt, and of a hash.
MEMORY, SALT, HASH = 64 * 1024 * 1024, 16, 32


def hash_password(password: str) -> str:
    """What is stored of a password: the costs, a salt and the hash. It takes long."""
    salt = secrets.token_bytes(SALT)
    hashed = _scrypt(password, salt, COST, BLOCK, LANES)
    return f"scrypt${COST}${BLOCK}${LANES}${salt.hex()}${hashed.hex()}"


def is_password(given: str, stored: str) -> bool:
    """Whether it is the password of which this is stored. It takes long, and as long for a wrong one."""
    _, cost, block, lanes, salt, hashed = stored.split("$")
    found = _scrypt(given, bytes.fromhex(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(found, bytes.fromhex(hashed))


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=MEMORY, dklen=HASH)
