"""Where a visitor came from, by the campaign in the address of a page, the ids of clicks on ads, and the referrer."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from apps.origins.channels import channel_of
from apps.origins.sources import Source, Sources, host_of
from db.events.fitting import cut_text, storable
from db.events.known import MAX_MEMBER, Origin
from db.events.not_utf8 import ILL, REPLACEMENT

#: The members of an origin that a campaign has, as `utm_source` and so on.
CAMPAIGN = ("source", "medium", "campaign", "term", "content")
UTM = tuple(f"utm_{name}" for name in CAMPAIGN)
#: The property in which a page tells that its address has the id of a click, without the id.
CLICK = "click_id"
#: Characters of an address and of its query, and parameters in it, that are looked at; a text in an event.
LONGEST, PARAMETERS, LONGEST_TEXT = 4_096, 60, 1_024
CACHED = 4096


class Click(NamedTuple):
    """What the id of a click says."""

    source: str
    medium: str | None
    """None: links that nobody paid for have it too."""


#: Ids that platforms add to links, by the names of their parameters in small letters. Those of ads say paid. Facebook's
#: is on every link that leaves it; Google's `srsltid` is on free listings of products.
CLICKS = {
    "awc": Click("awin", "affiliate"),
    "cjevent": Click("cj", "affiliate"),
    "dclid": Click("google", "display"),
    "epik": Click("pinterest", "cpc"),
    "fbclid": Click("facebook", None),
    "gad_source": Click("google", "cpc"),
    "gbraid": Click("google", "cpc"),
    "gclid": Click("google", "cpc"),
    "gclsrc": Click("google", "cpc"),
    "igsh": Click("instagram", None),
    "igshid": Click("instagram", None),
    "irclickid": Click("impact", "affiliate"),
    "li_fat_id": Click("linkedin", "cpc"),
    "mc_cid": Click("mailchimp", "email"),
    "mc_eid": Click("mailchimp", "email"),
    "msclkid": Click("bing", "cpc"),
    "qclid": Click("quora", "cpc"),
    "rdt_cid": Click("reddit", "cpc"),
    "sccid": Click("snapchat", "cpc"),
    "srsltid": Click("google", "organic"),
    "tblci": Click("taboola", "cpc"),
    "ttclid": Click("tiktok", "cpc"),
    "twclid": Click("x", "cpc"),
    "wbraid": Click("google", "cpc"),
    "yclid": Click("yandex", "cpc"),
}
#: The properties of an event that are looked at.
CLICK_NAMES = frozenset((*CLICKS, CLICK))
PROPERTIES = frozenset((*UTM, *CLICK_NAMES, "referrer"))
#: Whether an address has any of them: most have none, and are not taken apart.
MARKED = re.compile(rf"[?&#](?:utm_|(?:{'|'.join(CLICKS)})=)", re.ASCII | re.IGNORECASE)

#: Mediums of what nobody paid for, by the kind of source; any other is `referral`.
UNPAID = {"email": "email", "search": "organic"}


class Marks(NamedTuple):
    """The campaign, of texts as they came, and the name of a click's id."""

    campaign: tuple[str, str, str, str, str]
    click: str | None


NO_MARKS = Marks(("", "", "", "", ""), None)


def marks_of(url: str) -> Marks:
    """The marks in an address, also behind a route (`#/cart?utm_source=...`)."""
    url = url[:LONGEST]
    return _marks(url[_query_at(url) :]) if MARKED.search(url) else NO_MARKS


def marks_among(given: Mapping[str, Any]) -> Marks:
    """The marks that are properties of an event, by the names that they have in an address."""
    get = given.get
    texts: Any = (
        *(get("utm_source", ""), get("utm_medium", ""), get("utm_campaign", "")),
        *(get("utm_term", ""), get("utm_content", "")),
    )
    for text in texts:
        if type(text) is not str or len(text) > MAX_MEMBER:
            texts = tuple(map(_text, texts))
            break
    click = None
    if not CLICK_NAMES.isdisjoint(given):
        said = given.get(CLICK)
        click = said.lower() if isinstance(said, str) and said.lower() in CLICKS else None
        click = click or next((name for name in given if name in CLICKS and given[name]), None)
    return Marks(texts, click)


class Origins:
    """Origins by what is known of sources."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.origin = lru_cache(maxsize=CACHED)(self._origin)

    def complete(self, said: Origin | None, marks: Marks, referrer: str, own: frozenset[str]) -> Origin | None:
        """The origin of these clues. What a client said itself goes before, and says more: a source its channel."""
        if said is None:
            return self.origin(marks, referrer, own)
        campaign: Any = tuple(getattr(said, name) or marks.campaign[place] for place, name in enumerate(CAMPAIGN))
        derived = self.origin(marks._replace(campaign=campaign), said.referrer or referrer, own)
        return _joined(said, derived) if derived else said

    def _origin(self, marks: Marks, referrer: str, own: frozenset[str]) -> Origin | None:
        """The origin; None if nothing is known of one. `own`: the site's hosts, which are no referrers."""
        host = host_of(referrer) if referrer else None
        if host and _is_own(host, own):
            host = None
        known = self.sources.of(host) if host else None
        if known and known.category == "payment":
            host = known = None
        click = CLICKS[marks.click] if marks.click else None
        source, medium, campaign, term, content = texts = [_fit(text) for text in marks.campaign]
        if not (host or click or any(texts)):
            return None
        if source:
            known = self.sources.of(source.lower()) or self.sources.of(host_of(source) or "")
            source = known.name if known else source.lower()
        elif click:
            known = _of_click(click, known, self.sources)
            source = known.name
        elif host:
            source = known.name if known else host
        medium = medium.lower() or self._medium(click, known, tagged=any(texts), host=host)
        channel = channel_of(
            source=source, medium=medium, campaign=campaign, category=known.category if known else None
        )
        return Origin(
            source=source or None,
            medium=medium or None,
            campaign=campaign or None,
            term=term or None,
            content=content or None,
            referrer=host,
            channel=channel,
        )

    def _medium(self, click: Click | None, known: Source | None, *, tagged: bool, host: str | None) -> str:
        if click and click.medium:
            return click.medium
        # A campaign that does not say its medium is none of a link that somebody set by himself.
        if tagged and not click:
            return ""
        if known:
            return UNPAID.get(known.category or "", "referral")
        return "referral" if host or click else ""


def _of_click(click: Click, known: Source | None, sources: Sources) -> Source:
    """The source of a click: Instagram's links have Facebook's ids."""
    if click.medium is None and known and known.category == "social":
        return known
    return sources.of(click.source) or Source(click.source, None)


def _is_own(host: str, own: frozenset[str]) -> bool:
    """Whether a host is the site's, one below it or the one above it."""
    return host in own or any(host.endswith(f".{one}") or one.endswith(f".{host}") for one in own)


def _joined(said: Origin, derived: Origin) -> Origin:
    names = Origin.__struct_fields__
    return Origin(**{name: getattr(said, name) or getattr(derived, name) for name in names})


def _query_at(url: str) -> int:
    return min((place for place in (url.find("?"), url.find("#")) if place >= 0), default=len(url))


@lru_cache(maxsize=CACHED)
def _marks(query: str) -> Marks:
    """The marks in a query and a fragment. The first of several counts."""
    found: dict[str, str] = {}
    click = None
    for part in re.split("[?#]", query, maxsplit=8):
        try:
            pairs = parse_qsl(part, max_num_fields=PARAMETERS)
        except ValueError:
            continue
        for name, value in pairs:
            lower = name.lower()
            if lower in UTM:
                found.setdefault(lower, value[:LONGEST_TEXT])
            elif lower in CLICKS and click is None:
                click = lower
    source, medium, campaign, term, content = (found.get(name, "") for name in UTM)
    return Marks((source, medium, campaign, term, content), click)


def _text(value: Any) -> str:
    """A text in an event; a number counts as its text."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return str(value)[:LONGEST_TEXT] if isinstance(value, int) and not isinstance(value, bool) else ""


def _fit(text: str) -> str:
    return cut_text(storable(text.strip().replace(ILL, REPLACEMENT)), MAX_MEMBER)
