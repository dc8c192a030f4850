"""What is known of a visit: what its events were sent with (`Agent`), and where the visitor came from (`Origin`)."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

#: Longest text of a member, in bytes.
MAX_MEMBER = 255
#: Spelled in one way, so that one country is one row of reports.
COUNTRY = re.compile("[A-Z]{2}")


class _Known(msgspec.Struct, frozen=True):
    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value and (fault := member_fault(name, value)):
                raise ValueError(f"{name} {fault}")


class Agent(_Known, frozen=True, kw_only=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """What an event was sent with. Each member is text of at most 255 bytes (UTF-8) without U+0000."""

    country: Annotated[
        str | None,
        Meta(
            description="The country, as ISO 3166-1 has it in two capitals; small letters become capitals.",
            examples=["DE"],
        ),
    ] = None
    device: Annotated[str | None, Meta(description="`desktop`, `mobile`, `tablet`, ...", examples=["mobile"])] = None
    browser: Annotated[str | None, Meta(description="The browser.", examples=["Safari"])] = None
    os: Annotated[str | None, Meta(description="The operating system.", examples=["iOS"])] = None
    language: Annotated[
        str | None, Meta(description="The language, as ISO 639-1 spells it in two letters.", examples=["de"])
    ] = None


class Origin(_Known, frozen=True, kw_only=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """Where a visitor came from. Each member is text of at most 255 bytes (UTF-8) without U+0000."""

    source: Annotated[
        str | None,
        Meta(description="Who sent the visitor: a site or a newsletter (`utm_source`).", examples=["google"]),
    ] = None
    medium: Annotated[str | None, Meta(description="By what (`utm_medium`).", examples=["cpc"])] = None
    campaign: Annotated[str | None, Meta(description="Which campaign (`utm_campaign`).", examples=["spring-sale"])] = (
        None
    )
    term: Annotated[str | None, Meta(description="Which search term (`utm_term`).", examples=["desk lamp"])] = None
    content: Annotated[
        str | None, Meta(description="Which of several links or advertisements (`utm_content`).", examples=["header"])
    ] = None
    referrer: Annotated[
        str | None, Meta(description="The host of the page that linked here.", examples=["www.google.com"])
    ] = None
    channel: Annotated[
        str | None,
        Meta(description="The kind of source, as of Google's default channel group.", examples=["Paid Search"]),
    ] = None


SentWith = Annotated[
    Agent | None,
    Meta(
        description="What it was sent with: an object of texts, each of at most 255 bytes. Left out: unknown.",
        examples=[{"country": "DE", "device": "mobile", "browser": "Safari", "os": "iOS", "language": "de"}],
    ),
]
CameFrom = Annotated[
    Origin | None,
    Meta(
        description="Where the visitor came from: an object of texts, each of at most 255 bytes. Left out: a visit "
        "that begins with it came directly.",
        examples=[{"source": "newsletter", "medium": "email", "campaign": "spring-sale", "channel": "Email"}],
    ),
]

#: The optional members of an event that these are.
KNOWN: dict[str, type[Agent] | type[Origin]] = {"agent": Agent, "origin": Origin}


def member_fault(name: str, text: str) -> str | None:
    """Why this text cannot be this member, or None."""
    if name == "country" and not COUNTRY.fullmatch(text):
        return "is not the two capitals of ISO 3166-1"
    if "\0" in text:
        return "holds U+0000"
    if len(text) > MAX_MEMBER or (not text.isascii() and len(text.encode()) > MAX_MEMBER):
        return f"is {len(text.encode())} bytes long"
    return None


def fit_known(name: str, given: Any) -> tuple[dict[str, str] | None, list[str]]:
    """The members of an event's `agent` or `origin` that can be stored, and the names of those that are left out."""
    if not isinstance(given, dict):
        return None, [name]
    members = set(KNOWN[name].__struct_fields__)
    kept: dict[str, str] = {}
    unkept = []
    for member, value in given.items():
        if value is None and member in members:
            continue
        if (
            member in members
            and isinstance(value, str)
            and not member_fault(member, value := value.upper() if member == "country" else value)
        ):
            kept[member] = value
        else:
            unkept.append(f"{name}.{member}")
    return kept, unkept
