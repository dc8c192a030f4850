"""The settings, read once from the environment and a `.env` file: `settings = load()`."""

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from db.env_file import read_env_file
from db.settings_sources import SECRETS, database_url, redis_url, with_secrets_of_files

Count = Annotated[int, Meta(ge=1, description="a number from 1 on")]
Seconds = Annotated[int, Meta(ge=1, description="seconds from 1 on")]
Port = Annotated[int, Meta(ge=0, le=65535, description="a port number from 0 to 65535 (0: any free one)")]
PublicUrl = Annotated[
    Annotated[str, Meta(pattern=r"^https?://[^/\s\"'<>()]+(/[^\s\"'<>()]*)?$")] | None,
    Meta(description="where browsers reach that app, as https://events.shop.example"),
]

#: As in db/access/scopes.py.
SCOPES = "events:write|reports:read|events:read|privacy:write|operations|admin"
#: As in apps/origins/sources.py.
SOURCE = r"[^,=:\s]+=[^,=:]+(:(search|social|email|video|shopping|ai|affiliate|display|audio|sms|push|payment|other))?"
NOWHERE = {"database_url": "host=/DATABASE_URL-is-not-set", "redis_url": "unix:///REDIS_URL-is-not-set"}


class SettingsError(SystemExit):
    """Settings are invalid; the message names each such variable and what it should be.

    A SystemExit, so that under uvicorn, dramatiq and tjra the message is the last line, without a traceback.
    """


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings. Each field is the environment variable of the same name in capitals."""

    database_url: Annotated[
        str | None, Meta(description="a PostgreSQL address such as postgresql://user:password@host:5432/name")
    ] = None
    redis_url: Annotated[
        str | None, Meta(description="a Redis address such as redis://host:6379/0, rediss://... or unix:///path")
    ] = None
    redis_namespace: Annotated[
        str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$", description="1 to 64 letters, digits, - or _")
    ] = "tjra"
    listen_host: Annotated[str, Meta(min_length=1, description="an address of this machine, or 0.0.0.0 for all")] = (
        "127.0.0.1"
    )
    ingestion_port: Port = 3000
    reporting_port: Port = 3001
    worker_port: Port = 3002
    #: Not set: derived from the host of the request, which works without a proxy in between.
    ingestion_url: PublicUrl = None
    reporting_url: PublicUrl = None
    #: off: anybody may do everything.
    auth: Annotated[str, Meta(pattern="^(on|off)$", description="on or off")] = "on"
    #: With AUTH=off: names by which the apps may be asked, besides addresses, localhost and those of the URLs.
    allowed_hosts: Annotated[
        str,
        Meta(
            pattern=r"^(\*\.)?[A-Za-z0-9._-]+(\s*,\s*(\*\.)?[A-Za-z0-9._-]+)*$",
            description="names of hosts without ports, with commas between them; *.shop.example is all below that one",
        ),
    ] = ""
    #: Reports for which a key may ask a minute, those that take long counted ten times. 0: any number.
    reports_per_minute: Annotated[int, Meta(ge=0, description="a number of reports, or 0 for no limit")] = 600
    #: Not set: no limit. Events a second of a site beyond which they are refused.
    events_per_second_of_a_site: Annotated[
        Annotated[int, Meta(ge=1, description="a number from 1 on")] | None, Meta(description="a number from 1 on")
    ] = None
    #: Not set: the first start makes the first key.
    admin_key: Annotated[
        Annotated[str, Meta(pattern=r"^tjra_[a-z]_[0-9A-Za-z]{49}$")] | None,
        Meta(description="a key as `tjra key new` prints one"),
    ] = None
    #: The header in which a proxy in front names the user who has logged in there.
    auth_proxy_header: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None, Meta(description="the name of a header")
    ] = None
    auth_proxy_scopes: Annotated[
        str, Meta(pattern=rf"^({SCOPES})(\s*,\s*({SCOPES}))*$", description="scopes of keys with commas between them")
    ] = "reports:read"
    #: Who may read /metrics, /schema and the reasons in /ready of ingestion without a key.
    operations_open_to: Annotated[
        str, Meta(pattern="^(nobody|loopback|all)$", description="nobody, loopback or all")
    ] = "nobody"
    #: registered: only registered sites may send events.
    sites: Annotated[str, Meta(pattern="^(open|registered)$", description="open or registered")] = "open"
    data_dir: Annotated[Path, Meta(description="a directory")] = Path(".tjra")
    events_not_before: Annotated[date, Meta(description="a date from 1970-01-01 on, as YYYY-MM-DD")] = date(2000, 1, 1)
    events_ahead_hours: Annotated[int, Meta(ge=0, le=720, description="hours from 0 to 720")] = 24
    #: Not set: events never expire.
    retention_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None, Meta(description="a number of days from 1 to 36500")
    ] = None
    #: Over these limits ingestion accepts no events: messages not stored yet, the age of the oldest, memory of Redis.
    queue_max_messages: Count = 1_000_000
    queue_max_age_seconds: Seconds = 24 * 60 * 60
    #: Not set: derived from the memory of Redis.
    queue_max_memory_bytes: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="a number of bytes from 1 on")
    ] = None
    #: If the oldest message is older than this, neither app is ready.
    ready_max_queue_age_seconds: Seconds = 60
    #: Not set: the key that an SDK sends is the site_id.
    site_keys: Annotated[
        str, Meta(pattern=r"^[^,=]+=[^,=]+(,[^,=]+=[^,=]+)*$", description="key=site_id, with commas between several")
    ] = ""
    cors_origins: Annotated[
        str,
        Meta(
            pattern=r"^(\*|https?://[^,/\s]+(\s*,\s*https?://[^,/\s]+)*)$",
            description="* for any, or origins such as https://shop.example with commas between them",
        ),
    ] = "*"
    #: The header in which a proxy in front names the country of its client.
    country_header: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None, Meta(description="the name of a header")
    ] = None
    #: Not set: no file; the address of a client is looked up in it, and not stored.
    geoip_database: Annotated[
        Path | None, Meta(description="a file of countries by address in MaxMind's format (.mmdb)")
    ] = None
    #: Sources that we do not know, or by another name.
    sources: Annotated[
        str,
        Meta(
            pattern=rf"^{SOURCE}(\s*,\s*{SOURCE})*$",
            description="host=name:category with commas between several, the category one of search, social, email, "
            "video, shopping, ai, affiliate, display, audio, sms, push, payment, other, or left out",
        ),
    ] = ""
    bots: Annotated[str, Meta(pattern="^(drop|mark|keep)$", description="drop, mark or keep")] = "drop"
    #: Under plain uvicorn, uvicorn itself reads this variable.
    forwarded_allow_ips: Annotated[
        str, Meta(min_length=1, description="addresses or networks of proxies with commas between them, or * for all")
    ] = "127.0.0.1,::1"
    #: Seconds until an app closes an idle connection: longer than the proxies in front of it.
    keep_alive_seconds: Seconds = 130
    #: Seconds that a client may take to send a body.
    body_timeout_seconds: Seconds = 30
    #: Seconds after which a report is cancelled.
    report_timeout_seconds: Seconds = 60
    log_level: Annotated[
        str, Meta(pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")
    ] = "info"
    log_format: Annotated[str, Meta(pattern="^(console|json)$", description="console or json")] = "console"

    def __post_init__(self) -> None:
        if self.events_not_before < date(1970, 1, 1):
            raise ValueError("EVENTS_NOT_BEFORE: should be a date from 1970-01-01 on")

    def required(self, name: str) -> str:
        """The address in field `name`. Raises SettingsError if it is not set."""
        value: str | None = getattr(self, name)
        if value is None:
            raise SettingsError(
                f"{name.upper()} is not set: it should be {_should_be(name)}; or DATA_DIR the folder of a `tjra up` "
                f"that runs its own (there is none in {self.data_dir.absolute()})"
            )
        return value

    def address(self, name: str) -> str:
        """The address in field `name`, or, if it is not set, an unusable address that names the missing variable.

        For objects that are made when a module is imported, which must not fail. Their users call `required` first.
        """
        value: str | None = getattr(self, name)
        return value or NOWHERE[name]


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environment`, by default the process's environment, which overrides the file `.env`.

    An empty variable counts as not set. Raises SettingsError, which names every wrong variable.
    """
    if environment is None:
        environment = read_env_file() | dict(os.environ)
    given = {name: value for name, value in environment.items() if value.strip()}
    unread = with_secrets_of_files(given)
    values, problems = _typed(given)
    problems = unread + problems
    for name, read in (("database_url", database_url), ("redis_url", redis_url)):
        try:
            if (url := read(given, _should_be(name))) is not None:
                values[name] = url
        except ValueError as error:
            problems.append(str(error))
    if not problems:
        try:
            return Settings(**values)
        except ValueError as error:
            problems.append(str(error))
    raise SettingsError("\n".join(problems))


def _typed(given: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The plain fields, converted one by one, so that every wrong one is reported."""
    values: dict[str, Any] = {}
    problems = []
    for field in msgspec.structs.fields(Settings):
        name = field.name.upper()
        if field.name in ("database_url", "redis_url") or name not in given:
            continue
        try:
            values[field.name] = msgspec.convert(given[name], field.type, strict=False, dec_hook=_path)
        except msgspec.ValidationError:
            told = "mistyped" if name in SECRETS else repr(given[name])
            problems.append(f"{name} is {told}: it should be {_should_be(field.name)}")
    return values, problems


def _path(kind: type, value: str) -> Any:
    return kind(value)


def _should_be(name: str) -> str:
    field = next(field for field in msgspec.structs.fields(Settings) if field.name == name)
    return str(next(meta.description for meta in field.type.__metadata__ if meta.description))
