"""Sources, mediums and channels: by referrers, campaigns and ids of clicks, as Google's default channel group says."""

import time
from importlib import resources
from typing import Any

import pytest

from apps.origins.channels import channel_of
from apps.origins.origins import NO_MARKS, Marks, Origins, marks_among, marks_of
from apps.origins.sources import CATEGORIES, Sources, host_of
from db.events.known import Origin
from db.settings import Settings, load

ORIGINS = Origins(Sources(Settings()))
OWN = frozenset(("shop.example",))


def origin(referrer: str = "", url: str = "") -> Origin | None:
    return ORIGINS.complete(None, marks_of(url), referrer, OWN)


#: A referrer and the query of the page, and source, medium and channel.
KNOWN = [
    ("https://www.google.de/", "", "google", "organic", "Organic Search"),
    ("https://www.google.co.uk/", "", "google", "organic", "Organic Search"),
    ("https://google.com.br/search?q=lamp", "", "google", "organic", "Organic Search"),
    ("android-app://com.google.android.googlequicksearchbox/", "", "google", "organic", "Organic Search"),
    ("https://www.bing.com/", "", "bing", "organic", "Organic Search"),
    ("https://de.search.yahoo.com/", "", "yahoo", "organic", "Organic Search"),
    ("https://duckduckgo.com/", "", "duckduckgo", "organic", "Organic Search"),
    ("https://www.ecosia.org/", "", "ecosia", "organic", "Organic Search"),
    ("https://yandex.ru/", "", "yandex", "organic", "Organic Search"),
    ("https://search.brave.com/", "", "brave", "organic", "Organic Search"),
    ("https://www.google.com/", "?srsltid=Afm", "google", "organic", "Organic Search"),
    ("https://www.google.com/", "?gclid=Cj0", "google", "cpc", "Paid Search"),
    ("", "?gclid=Cj0", "google", "cpc", "Paid Search"),
    ("", "?gbraid=0AA&gad_source=1", "google", "cpc", "Paid Search"),
    ("", "?a=1&wbraid=Ck", "google", "cpc", "Paid Search"),
    ("", "?dclid=CN", "google", "display", "Display"),
    ("", "?msclkid=1f", "bing", "cpc", "Paid Search"),
    ("", "?yclid=1", "yandex", "cpc", "Paid Search"),
    ("https://www.youtube.com/", "?utm_source=youtube&utm_medium=cpv", "youtube", "cpv", "Paid Video"),
    ("https://l.facebook.com/", "?fbclid=IwAR", "facebook", "referral", "Organic Social"),
    ("https://l.instagram.com/", "?fbclid=IwAR", "instagram", "referral", "Organic Social"),
    ("", "?fbclid=IwAR", "facebook", "referral", "Organic Social"),
    ("", "?fbclid=IwAR&utm_source=ig&utm_medium=paid", "instagram", "paid", "Paid Social"),
    ("", "?utm_source=FB&utm_medium=CPC&utm_campaign=Spring", "facebook", "cpc", "Paid Social"),
    ("", "?utm_source=facebook&utm_medium=social", "facebook", "social", "Organic Social"),
    ("", "?ttclid=E.C.P", "tiktok", "cpc", "Paid Social"),
    ("", "?twclid=2", "x", "cpc", "Paid Social"),
    ("", "?li_fat_id=7", "linkedin", "cpc", "Paid Social"),
    ("", "?ScCid=7", "snapchat", "cpc", "Paid Social"),
    ("", "?epik=dj0y", "pinterest", "cpc", "Paid Social"),
    ("", "?rdt_cid=7", "reddit", "cpc", "Paid Social"),
    ("https://t.co/", "", "x", "referral", "Organic Social"),
    ("https://m.facebook.com/", "", "facebook", "referral", "Organic Social"),
    ("https://www.pinterest.de/", "", "pinterest", "referral", "Organic Social"),
    ("android-app://com.linkedin.android/", "", "linkedin", "referral", "Organic Social"),
    ("https://m.youtube.com/", "", "youtube", "referral", "Organic Video"),
    ("https://vimeo.com/", "", "vimeo", "referral", "Organic Video"),
    ("https://chatgpt.com/", "", "chatgpt", "referral", "AI Assistants"),
    ("", "?utm_source=chatgpt.com", "chatgpt", None, "AI Assistants"),
    ("https://www.perplexity.ai/", "", "perplexity", "referral", "AI Assistants"),
    ("https://gemini.google.com/", "", "gemini", "referral", "AI Assistants"),
    ("https://copilot.microsoft.com/", "", "copilot", "referral", "AI Assistants"),
    ("https://mail.google.com/", "", "gmail", "email", "Email"),
    ("android-app://com.google.android.gm/", "", "gmail", "email", "Email"),
    ("https://outlook.live.com/", "", "outlook", "email", "Email"),
    ("", "?utm_source=newsletter", "newsletter", None, "Email"),
    ("", "?utm_source=spring&utm_medium=Email", "spring", "email", "Email"),
    ("", "?utm_source=e-mail", "e-mail", None, "Email"),
    ("", "?mc_cid=1&mc_eid=2", "mailchimp", "email", "Email"),
    ("https://www.idealo.de/", "", "idealo", "referral", "Organic Shopping"),
    ("https://www.amazon.de/", "", "amazon", "referral", "Organic Shopping"),
    ("", "?utm_source=idealo&utm_medium=cpc", "idealo", "cpc", "Paid Shopping"),
    ("", "?utm_source=google&utm_medium=cpc&utm_campaign=shopping-de", "google", "cpc", "Paid Shopping"),
    ("", "?utm_source=google&utm_medium=cpc&utm_campaign=Cross-network", "google", "cpc", "Cross-network"),
    ("", "?utm_source=partner&utm_medium=affiliate", "partner", "affiliate", "Affiliates"),
    ("", "?awc=1_2", "awin", "affiliate", "Affiliates"),
    ("https://www.awin1.com/", "", "awin", "referral", "Affiliates"),
    ("", "?utm_source=gdn&utm_medium=banner", "gdn", "banner", "Display"),
    ("", "?utm_source=news.example&utm_medium=cpm", "news.example", "cpm", "Display"),
    ("", "?utm_source=news.example&utm_medium=cpc", "news.example", "cpc", "Paid Other"),
    ("", "?utm_source=podcast&utm_medium=audio", "podcast", "audio", "Audio"),
    ("", "?utm_source=klaviyo&utm_medium=sms", "klaviyo", "sms", "SMS"),
    ("", "?utm_source=onesignal&utm_medium=web-push", "onesignal", "web-push", "Mobile Push Notifications"),
    ("https://blog.example/a", "", "blog.example", "referral", "Referral"),
    ("https://blog.example/a", "?utm_source=Blog&utm_medium=link", "blog", "link", "Referral"),
    ("https://blog.example/a", "?utm_campaign=spring", "blog.example", None, "Unassigned"),
    ("", "?utm_source=flyer", "flyer", None, "Unassigned"),
    ("", "#/cart?utm_source=google&utm_medium=cpc", "google", "cpc", "Paid Search"),
]


@pytest.mark.parametrize(("referrer", "query", "source", "medium", "channel"), KNOWN, ids=lambda value: str(value)[:50])
def test_where_a_visitor_came_from(referrer: str, query: str, source: str, medium: str | None, channel: str) -> None:
    found = origin(referrer, f"https://shop.example/lamp{query}")
    assert found
    assert (found.source, found.medium, found.channel) == (source, medium, channel)
    assert found.referrer == host_of(referrer)


@pytest.mark.parametrize(
    ("referrer", "query"),
    [
        ("", ""), ("https://shop.example/a", ""), ("https://www.shop.example/", ""), ("https://blog.shop.example/", ""),
        ("https://shop.example:8443/", "?page=2&sort=utm"), ("about:blank", ""), ("/lamp", ""), ("https://", ""),
        ("https://[::1]/", ""), ("https://user@shop.example/", ""), ("undefined", ""), ("", "?utm_=1&xgclid=2"),
        # Who comes back from there was here before.
        ("https://www.paypal.com/checkout", ""), ("https://checkout.stripe.com/", ""), ("https://pay.klarna.com/", ""),
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_origin(referrer: str, query: str) -> None:
    assert origin(referrer, f"https://shop.example/{query}") is None


def test_a_campaign_has_its_five_texts_and_the_first_of_several_counts() -> None:
    query = "?utm_source=a.example&utm_medium=Mail&utm_campaign=S%C3%BC%C3%9F+1&utm_term=t&utm_content=c&utm_campaign=2"
    assert origin("https://b.example/", query) == Origin(
        source="a.example", medium="mail", campaign="Süß 1", term="t", content="c", referrer="b.example",
        channel="Unassigned",
    )  # fmt: skip


def test_properties_say_the_same_as_an_address() -> None:
    same: list[tuple[dict[str, Any], str]] = [
        ({"utm_source": "google", "utm_medium": "cpc", "utm_term": 7}, "?utm_source=google&utm_medium=cpc&utm_term=7"),
        ({"gclid": "Cj0", "x": [1]}, "?gclid=Cj0"),
        ({"click_id": "gclid"}, "?gclid=1"),
    ]
    for given, query in same:
        assert ORIGINS.complete(None, marks_among(given), "", OWN) == origin("", query)
    nothing: list[dict[str, Any]] = [
        {"click_id": "other"},
        {"utm_source": [1], "utm_medium": None, "utm_term": True},
        {"gclid": ""},
    ]
    for given in nothing:
        assert ORIGINS.complete(None, marks_among(given), "", OWN) is None


def test_what_a_client_says_goes_before_and_gets_a_channel() -> None:
    google = "https://www.google.de/"
    for said, expected in [
        (Origin(source="google", medium="cpc"), Origin(source="google", medium="cpc", channel="Paid Search")),
        (Origin(source="Newsletter"), Origin(source="Newsletter", channel="Email")),
        (Origin(referrer=google), Origin(source="google", medium="organic", referrer=google, channel="Organic Search")),
        (Origin(channel="Fairs"), Origin(channel="Fairs")),
        (Origin(), Origin()),
    ]:
        assert ORIGINS.complete(said, NO_MARKS, "", OWN) == expected
    assert ORIGINS.complete(Origin(channel="Fairs"), NO_MARKS, google, OWN) == Origin(
        source="google", medium="organic", referrer="google.de", channel="Fairs"
    )


def test_a_site_below_or_above_is_no_referrer_but_a_neighbour_is() -> None:
    def source(referrer: str) -> str | None:
        found = ORIGINS.complete(None, NO_MARKS, referrer, frozenset(("pay.shop.example",)))
        return found.source if found else None

    assert source("https://shop.example/") is None
    assert source("https://a.pay.shop.example/") is None
    assert source("https://blog.shop.example/") == "blog.shop.example"
    assert source("https://myshop.example/") == "myshop.example"


def test_a_setting_adds_sources_and_changes_them() -> None:
    given = "lamps.example=lamps:shopping, www.mag.example=Mag:email,google.de=ours:other,fair=fair"
    settings = load({"SOURCES": given})
    origins = Origins(Sources(settings))

    def found(referrer: str, query: str = "") -> tuple[str | None, str | None]:
        one = origins.complete(None, marks_of(query), referrer, OWN)
        return (one.source, one.channel) if one else (None, None)

    assert found("https://www.lamps.example/") == ("lamps", "Organic Shopping")
    assert found("https://mag.example/") == ("mag", "Email")
    assert found("https://google.de/") == ("ours", "Referral")
    assert found("https://google.fr/") == ("google", "Organic Search")
    assert found("", "?utm_source=fair") == ("fair", "Unassigned")


def test_the_file_of_sources_is_sorted_and_has_each_host_once() -> None:
    lines = resources.files("apps.origins").joinpath("sources.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    hosts = [host for host, _, _ in rows]
    assert hosts == sorted(set(hosts))
    assert all(host == host.lower() and name == name.lower() for host, name, _ in rows)
    assert {category for _, _, category in rows} <= CATEGORIES
    # A name means the same whether it comes with a referrer or is said by a campaign.
    by_name = {host: (name, category) for host, name, category in rows if "." not in host}
    assert all(by_name[name][1] == category for host, name, category in rows if name in by_name and "." in host)


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "category", "channel"),
    [
        ("a", "cpc", "cross-network-1", "search", "Cross-network"),
        ("a", "retargeting", "", None, "Paid Other"),
        ("a", "ppc", "eshop", None, "Paid Shopping"),
        ("a", "ppc", "workshop", None, "Paid Other"),
        ("a", "", "shop-spring", None, "Organic Shopping"),
        ("a", "", "bishop", None, "Unassigned"),
        ("a", "cpm", "", "search", "Paid Search"),
        ("a", "email", "", "social", "Organic Social"),
        ("a", "mobile", "", None, "Mobile Push Notifications"),
        ("sms", "", "", None, "SMS"),
        ("a", "organic", "", None, "Organic Search"),
        ("a", "app", "", None, "Referral"),
        ("a", "x", "", None, "Unassigned"),
    ],
)
def test_the_order_of_googles_rules(
    source: str, medium: str, campaign: str, category: str | None, channel: str
) -> None:
    assert channel_of(source=source, medium=medium, campaign=campaign, category=category) == channel


@pytest.mark.parametrize(
    "url",
    [
        "?utm_source=" + "ä" * 50_000, "?" + "&" * 50_000 + "utm_source=a", "?utm_source=a" + "&utm_source=b" * 10_000,
        "?" * 50_000 + "utm_source=a", "#?" * 20_000 + "gclid=", "?utm_source=%00%FF%ED%A0%80" * 3_000,
    ],
    ids=["long", "ampersands", "often", "marks", "fragments", "no text"],
)  # fmt: skip
def test_hostile_addresses_cost_little_and_fit(url: str) -> None:
    begin = time.process_time()
    for number in range(20):
        found = ORIGINS.complete(None, marks_of(f"https://a.example/{number}{url}"), f"https://{number}.{url}", OWN)
        for name in Origin.__struct_fields__ if found else ():
            member = getattr(found, name)
            assert member is None or ("\0" not in member and len(member.encode()) <= 255), name
    assert time.process_time() - begin < 0.5


def test_a_mark_is_told_by_its_name() -> None:
    assert marks_of("/a?b=utm_source=x") is NO_MARKS
    assert marks_of("/a?GCLID=1&UTM_Source=x") == Marks(("x", "", "", "", ""), "gclid")
