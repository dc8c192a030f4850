"""Who is behind an event of PostHog, whose SDKs have one id for both: a visitor's, and from `$identify` on a user's."""

from typing import Any, NamedTuple

from apps.events.given import first_given
from apps.sdks.shared.sdk_event import as_object, first_id

#: The id of a visitor from a browser SDK that must not store anything: the server makes visitor ids.
COOKIELESS = "$posthog_cookieless"


class Who(NamedTuple):
    """The user and the visitor of an event."""

    user_id: str | None
    visitor_id: str | None
    cookieless: bool = False
    """Whether the visitor has no id, so that one for a day stands for them."""


def who(event: dict[str, Any], properties: dict[str, Any]) -> Who:
    """`distinct_id` is the user, and beside it the visitor is what was a user's `distinct_id` before, else the device;
    an anonymous `distinct_id` is the visitor.
    """
    name = event.get("event")
    given = event.get("distinct_id"), properties.get("distinct_id")
    device = properties.get("$device_id")
    if name == "$create_alias":
        # Server SDKs add an anonymous id to a user; posthog-js gives the visitor that it has a user's id.
        main, alias = first_id(*reversed(given)), first_id(properties.get("alias"))
        return _of(alias, main) if _is_anonymous(main, event, properties) else _of(main, alias)
    main = first_id(*given)
    if name == "$identify":
        return _of(main, first_id(properties.get("$anon_distinct_id"), device))
    return _of(None, main) if _is_anonymous(main, event, properties) else _of(main, first_id(device))


def _of(user_id: str | None, visitor_id: str | None) -> Who:
    cookieless = visitor_id == COOKIELESS
    return Who(user_id, None if cookieless else visitor_id, cookieless)


def _is_anonymous(distinct_id: str | None, event: dict[str, Any], properties: dict[str, Any]) -> bool:
    if distinct_id == COOKIELESS:
        return True
    identified = properties.get("$is_identified")
    if isinstance(identified, bool):
        return not identified
    if user_id := first_id(properties.get("$user_id")):
        return distinct_id != user_id
    if distinct_id is not None and distinct_id == first_id(properties.get("$device_id")):
        return True
    # Server SDKs say so of an id that they made up themselves.
    options = as_object(event.get("options"))
    profile = first_given(properties.get("$process_person_profile"), options.get("process_person_profile"))
    return profile is False
