"""What a row knows of a visit: the columns of an event's `agent` and `origin`, and the user agent."""

from collections.abc import Sequence
from typing import Any

import msgspec

from apps.origins.agents import agent_of, language_of
from apps.origins.countries import country_code
from db.events.fitting import cut_text, storable
from db.events.known import KNOWN, MAX_MEMBER, Agent
from db.events.spellings import is_nobody

#: The columns that members come from by themselves, by their exact names.
AGENT_COLUMNS = {
    "country": ("country", "country_code"),
    "device": ("device", "device_type"),
    "browser": ("browser",),
    "os": ("os", "operating_system"),
    "language": ("language", "locale"),
}
ORIGIN_COLUMNS = {
    "source": ("source",),
    "medium": ("medium",),
    "campaign": ("campaign",),
    "term": ("term",),
    "content": ("content",),
    "channel": ("channel",),
}
USER_AGENT = "user_agent"
COLUMNS = AGENT_COLUMNS | ORIGIN_COLUMNS | {USER_AGENT: (USER_AGENT,)}
#: Members of an event's `agent` and `origin` that rows may have, as options name them.
MEMBERS = tuple(COLUMNS)

#: What files call nothing, besides what they call nobody.
NOTHING = frozenset(("(direct)", "direct", "unknown", "(unknown)", "other", "(other)", "unassigned"))
DEVICES = {"laptop": "desktop", "phablet": "mobile", "phone": "mobile", "smart tv": "tv", "smartphone": "mobile"}


def known_of(row: dict[str, Any], columns: dict[str, str]) -> dict[str, dict[str, str]]:
    """The `agent` and `origin` of a row as far as it has them. What is no text is left out: it costs no row."""
    given = {member: text for member, column in columns.items() if (text := _text(row.get(column)))}
    agent = {name: given[name] for name in AGENT_COLUMNS if name in given}
    if user_agent := given.get(USER_AGENT):
        derived = agent_of(user_agent) or Agent()
        agent = {name: one for name, one in msgspec.structs.asdict(derived).items() if one} | agent
    if "country" in agent:
        agent["country"] = country_code(agent["country"]) or agent["country"]
    if "language" in agent:
        agent["language"] = language_of(agent["language"]) or agent["language"]
    if "device" in agent:
        device = agent["device"].lower()
        agent["device"] = DEVICES.get(device, device)
    origin = {name: given[name] for name in ORIGIN_COLUMNS if name in given}
    origin |= {
        name: origin[name].lower() for name in ("source", "medium") if name in origin
    }  # as those of addresses are
    return {name: _fit(one) for name, one in zip(KNOWN, (agent, origin), strict=True) if one}


def known_columns(columns: Sequence[str], given: dict[str, str], taken: set[str | None]) -> dict[str, str]:
    """The column of each member: an option's, else the first of the usual ones that is used for nothing else."""
    found = {}
    for member, usual in COLUMNS.items():
        if member in given:
            column = given[member]
        else:
            column = next((one for one in usual if columns.count(one) == 1 and one not in taken), "")
        if column:
            found[member] = column
    return found


def _fit(members: dict[str, str]) -> dict[str, str]:
    return {name: cut_text(storable(text), MAX_MEMBER) for name, text in members.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str) or is_nobody(value) or value.strip().lower() in NOTHING:
        return ""
    return value.strip()
