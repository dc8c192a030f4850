"""The channel that a visitor came by, as Google's default channel group has it, its rules in the same order:
https://support.google.com/analytics/answer/9756891.

Of its channels Direct is missing: it is what an event without an origin has. Added is what kinds of sources say that
Google has no list of: webmail is Email, an assistant (ChatGPT, Gemini, ...) AI Assistants, a network Affiliates.
"""

import re

PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
SHOPPING = re.compile(r".*(?:(?:[^a-df-z]|^)shop|shopping).*")
DISPLAY = frozenset(("display", "banner", "expandable", "interstitial", "cpm"))
SOCIAL = frozenset(("social", "social-network", "social-media", "sm", "social network", "social media"))
EMAIL = frozenset(("email", "e-mail", "e_mail", "e mail"))
REFERRAL = frozenset(("referral", "app", "link"))

UNASSIGNED = "Unassigned"


#: What a medium says by itself.
MEDIA = {
    **dict.fromkeys(EMAIL, "Email"),
    **dict.fromkeys(("affiliate", "affiliates"), "Affiliates"),
    **dict.fromkeys(("ai", "ai-assistant", "llm"), "AI Assistants"),
    "audio": "Audio",
    "sms": "SMS",
}
#: What a kind of source says, where the medium says nothing else.
CATEGORIES = {
    "affiliate": "Affiliates",
    "ai": "AI Assistants",
    "audio": "Audio",
    "display": "Display",
    "email": "Email",
    "push": "Mobile Push Notifications",
    "sms": "SMS",
}
PAID_CATEGORIES = {"search": "Paid Search", "social": "Paid Social", "video": "Paid Video"}


def channel_of(*, source: str, medium: str, campaign: str, category: str | None) -> str:
    """The channel. `category`: what kind of source it is, if it is a known one; texts that are not given are empty."""
    source, medium, campaign = source.lower(), medium.lower(), campaign.lower()
    if "cross-network" in campaign:
        return "Cross-network"
    sells = category == "shopping" or SHOPPING.fullmatch(campaign) is not None
    is_paid = PAID.fullmatch(medium) is not None
    if is_paid and sells:
        return "Paid Shopping"
    if is_paid and category in PAID_CATEGORIES:
        return PAID_CATEGORIES[category]
    if medium in DISPLAY:
        return "Display"
    if is_paid:
        return "Display" if category == "display" else "Paid Other"
    return "Organic Shopping" if sells else _unpaid(source, medium, category)


def _unpaid(source: str, medium: str, category: str | None) -> str:
    if category == "social" or medium in SOCIAL:
        return "Organic Social"
    if category == "video" or "video" in medium:
        return "Organic Video"
    if category == "search" or medium == "organic":
        return "Organic Search"
    if source in EMAIL:
        return "Email"
    if source == "sms":
        return "SMS"
    if medium in MEDIA:
        return MEDIA[medium]
    if medium.endswith("push") or "mobile" in medium or "notification" in medium:
        return "Mobile Push Notifications"
    if category in CATEGORIES:
        return CATEGORIES[category]
    return "Referral" if medium in REFERRAL else UNASSIGNED
