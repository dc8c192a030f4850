"""Ids of events that came with a secret key and of those that did not: no id is of both.

They differ in the digit that tells a UUID's variant (RFC 9562, section 4.1): below 4 it is of a variant that no UUID of
today has. Events with a key have such a one, and no others. So nobody without a key can take the id of an event that
came with one, whose true sender would then be told that it is a duplicate.
"""

#: The place of that digit, and the first one of events without a key.
VARIANT, FIRST_WITHOUT_KEY = 19, "4"
WITH_KEY, WITHOUT_KEY = str.maketrans("456789abcdef", "012301230123"), str.maketrans("0123", "89ab")


def id_with_key(event_id: str) -> str:
    """The id under which an event is stored that came with a secret key: the client's, but for its variant.

    It follows from that alone, so that what is sent again, also with the next key, has the same one.
    """
    return _with_variant(event_id, WITH_KEY)


def id_without_key(event_id: str) -> str:
    """The id under which an event is stored that came without a secret key: the client's, unless its variant is that of
    events with one."""
    return _with_variant(event_id, WITHOUT_KEY) if event_id[VARIANT] < FIRST_WITHOUT_KEY else event_id


def _with_variant(event_id: str, digits: dict[int, int]) -> str:
    return event_id[:VARIANT] + event_id[VARIANT].translate(digits) + event_id[VARIANT + 1 :]
