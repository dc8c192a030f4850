"""Writes small files in MaxMind's format (https://maxmind.github.io/MaxMind-DB/): networks of IPv4, their records."""

from ipaddress import IPv4Network
from typing import Any

#: Between the tree and the data, and before the metadata.
SEPARATOR, MARKER = bytes(16), b"\xab\xcd\xefMaxMind.com"


def mmdb(records: dict[str, dict[str, Any]], kind: str = "Test-Country") -> bytes:
    """The file in which addresses of a network have a record."""
    data, places = b"", {}
    for network, record in records.items():
        places[network] = len(data)
        data += _encoded(record)
    nodes: list[list[Any]] = [[None, None]]
    for network, place in places.items():
        _add(nodes, IPv4Network(network), place)
    count = len(nodes)
    tree = b"".join(
        (count if side is None else side[0] + count + 16 if isinstance(side, tuple) else side).to_bytes(3, "big")
        for node in nodes
        for side in node
    )
    metadata = {
        "node_count": count.to_bytes(4, "big"),
        "record_size": 24,
        "ip_version": 4,
        "database_type": kind,
        "languages": ["en"],
    }
    more = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": (2**30).to_bytes(8, "big"),
        "description": {},
    }
    return tree + SEPARATOR + data + MARKER + _encoded(metadata | more)


def _add(nodes: list[list[Any]], network: IPv4Network, place: int) -> None:
    address, at = int(network.network_address), 0
    for depth in range(network.prefixlen):
        side = address >> (31 - depth) & 1
        if depth == network.prefixlen - 1:
            nodes[at][side] = (place,)
        elif nodes[at][side] is None:
            nodes.append([None, None])
            nodes[at][side] = at = len(nodes) - 1
        else:
            at = nodes[at][side]


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        return bytes([2 << 5 | len(value.encode())]) + value.encode()
    if isinstance(value, dict):
        inside = b"".join(_encoded(name) + _encoded(one) for name, one in value.items())
        return bytes([7 << 5 | len(value)]) + inside
    if isinstance(value, list):
        return bytes([len(value), 4]) + b"".join(map(_encoded, value))
    if isinstance(value, int):
        return bytes([5 << 5 | 2]) + value.to_bytes(2, "big")
    # Longer numbers: of 32 bits, or of 64, whose type is in a byte of its own.
    return bytes([6 << 5 | 4] if len(value) == 4 else [8, 2]) + bytes(value)
