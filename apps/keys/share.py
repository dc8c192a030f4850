"""Share links: POST /keys/share makes one, /share/SECRET swaps it for a login that shows the reports of one site.

The secret is in an address once: the response leads to an address without it, tells no other page of it, and is not
stored by caches.
"""

import html
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from importlib import resources as files
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.params import PathParameter
from msgspec import Meta

from apps.access.credentials import Credential, credential_of, is_from_another_page
from apps.access.guard import identity_of
from apps.access.limits import PasswordTry, limit_login, note_failed_login
from apps.access.needs import PUBLIC, needs
from apps.keys.access import ReportingAccess, from_another_page
from apps.keys.bodies import AskedShare, invalid_field, read_json, settle_end
from apps.keys.login import HOME, NO_STORE, STYLE, Me, log_in, me_of
from apps.keys.passwords import Passwords
from apps.reporting_resources import resources_of
from apps.web.head_requests import IS_HEAD
from apps.web.openapi import answer, json_schema, operation
from apps.web.problems import problem_response, refuse
from apps.web.query_params import CHANGES_NOTHING, DryRun, read_query
from apps.web.schema_page import HEAD, PAGE_HEADERS, TITLE
from db.access import shares
from db.access.keys import Key, draft
from db.access.scopes import Identity, Scope
from db.access.tokens import hash_of
from db.connections.pools import ReadConnection

#: No search engine lists it, no cache keeps it.
HEADERS = NO_STORE | {"X-Robots-Tag": "noindex"}
SHARED = Key(
    id=UUID("5d0c8d6a-0f3f-5f1c-8bb0-c56f1d7f5c9e"),
    prefix="tjra_s_4vYpQ",
    name="The agency",
    scopes=[Scope.REPORTS_READ],
    sites=["shop"],
    share=True,
    created_by="first key",
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    expires_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) + timedelta(days=90),
)
EXAMPLE = {"name": "The agency", "site_id": "shop", "expires_in_days": 30}
#: The path of a link that there is not.
SHOWN = shares.PATH + "tjra_s_" + "0" * 49
NOWHERE = f"https://stats.shop.example{SHOWN}"
GONE = "There is no such link, or it has ended."

Secret = Annotated[str, PathParameter(description="The secret of the link.")]


class Share(msgspec.Struct, kw_only=True):
    """A new share link, which is shown this once."""

    key: Key
    url: Annotated[
        str,
        Meta(description="Where it leads: at `REPORTING_URL` if that is set, else at the host of this request."),
    ]


class ShareQuery(msgspec.Struct, kw_only=True):
    """The parameters of POST /keys/share."""

    dry_run: DryRun = False


class Password(msgspec.Struct, kw_only=True):
    """The body of POST /share/SECRET."""

    password: Annotated[str, Meta(max_length=200, description="The password of the link.")]


def _page(title: str, script: str, content: str) -> bytes:
    head = HEAD.format(title=f"{title}: {TITLE}")
    return f'{head}{STYLE}{script}</head>\n<body data-home="{HOME}">\n{content}</body>\n</html>\n'.encode()


def _asks(shared: Identity, *, password: bool, before: Identity | None) -> bytes:
    """The page that asks for the password, and whether the login that the browser has may end."""
    told = ""
    if before is not None:
        # Who does not know the password is told nothing of the link.
        instead = "what this link shows" if password else html.escape(shared.name)
        told = (
            f"<p>You are logged in as {html.escape(before.name)}. Show {instead} instead? That login ends then.</p>\n"
        )
    title = "Password" if password else "Another login"
    field = FIELD if password else ""
    return _page(title, SCRIPT, FORM.format(title=title, told=told, field=field))


SCRIPT = '<script src="/share.js" defer></script>\n'
FIELD = """\
<label>Whoever gave you this link knows it.
<input type="password" name="password" autocomplete="current-password" required autofocus></label>
"""
FORM = """\
<h1>{title}</h1>
{told}<form>
{field}<button>Show the reports</button>
<p role="alert"></p>
</form>
<noscript>This needs JavaScript.</noscript>
"""
ENDED = _page("No such link", "", f"<h1>{GONE}</h1>\n")


@post(
    "/keys/share",
    summary="Create a share link",
    tags=["access"],
    status_code=HTTPStatus.CREATED,
    opt=needs(Scope.ADMIN),
    operation_class=operation(
        query=ShareQuery, examples=CHANGES_NOTHING, body={"application/json": (json_schema(AskedShare), EXAMPLE)}
    ),
    responses={
        200: answer(
            "With `dry_run`: what it would be, with an address that leads nowhere.", Share(key=SHARED, url=NOWHERE)
        ),
        201: answer("The link.", Share(key=SHARED, url=NOWHERE)),
        400: problem_response("The body is not valid.", invalid_field("share link", "site_id", "is missing")),
    },
)
async def post_share(request: Request[Any, Any, Any]) -> Response[Share]:
    """Creates a link that shows the reports of one site to whoever has it, until it ends or is revoked as other keys.

    It shows no ids of people, and of properties only those that cannot hold any. With a password, the link asks for it.
    With `dry_run=true`, as in the example, it only checks the body.
    """
    query, who = read_query(request, ShareQuery), str(identity_of(request))
    new = await read_json(request, AskedShare, "share link")
    settle_end(new, "share link")
    if query.dry_run:
        key = draft(shares.key_of(new), by=who, share=True, with_password=new.password is not None)
        return Response(Share(key=key, url=_address(request, SHOWN)), status_code=HTTPStatus.OK, headers=NO_STORE)
    passwords: Passwords = request.app.state.passwords
    password = await passwords.stored(new)

    async def create(conn: ReadConnection) -> tuple[Key, str]:
        return await shares.create_share(conn, new, password=password, by=who)

    key, path = await resources_of(request).read(create)
    return Response(Share(key=key, url=_address(request, path)), headers=NO_STORE)


@get("/share/{secret:str}", include_in_schema=False, opt=needs(PUBLIC))
async def get_share(request: Request[Any, Any, Any], secret: Secret) -> Response[Any]:
    """Logs a browser in and leads it to an address without the secret, or asks for the password, or before it ends
    another login."""
    scope: Any = request.scope
    await limit_login(request)
    identity, password = await _holder(request, secret)
    if identity is None:
        return _gone(request)
    before = await _logged_in(request)
    if before is not None and _sees(before, identity):
        return _lead_home({})
    # A link that another page has opened ends nobody's login without asking.
    if password or before is not None:
        page = _asks(identity, password=password is not None, before=before)
        return Response(page, media_type=MediaType.HTML, headers=PAGE_HEADERS | HEADERS)
    return _lead_home({} if scope.get(IS_HEAD) else await log_in(request, identity))


@post("/share/{secret:str}", include_in_schema=False, status_code=HTTPStatus.OK, opt=needs(PUBLIC))
async def post_password(request: Request[Any, Any, Any], secret: Secret) -> Response[Me]:
    """Swaps a link for a login, with its password if it has one."""
    if is_from_another_page(request.scope):
        raise from_another_page()
    await limit_login(request)
    given = await read_json(request, Password, "password")
    identity, stored = await _holder(request, secret)
    if identity is None:
        raise refuse(HTTPStatus.NOT_FOUND, GONE, headers=HEADERS)
    passwords: Passwords = request.app.state.passwords
    if stored:
        tried = PasswordTry(request, identity)
        await tried.take()
        if not await passwords.matches(given.password, stored):
            await note_failed_login(request)
            raise refuse(HTTPStatus.FORBIDDEN, "the password is wrong", headers=HEADERS)
        await tried.was_right()
    return Response(me_of(identity), headers=HEADERS | await log_in(request, identity))


@get("/share.js", include_in_schema=False, sync_to_thread=True, opt=needs(PUBLIC))
def share_script() -> Response[bytes]:
    """The script of the page that asks."""
    script = files.files("apps.keys").joinpath("share.js").read_bytes()
    return Response(script, media_type="text/javascript", headers=NO_STORE)


async def _holder(request: Request[Any, Any, Any], secret: str) -> tuple[Identity | None, str | None]:
    """Whom a link stands for, if it is valid, and what is stored of its password, if it has any."""
    access: ReportingAccess = request.app.state.access
    identity = await access.verdicts.of(Credential("key", secret))
    if identity is None or not identity.share:
        await note_failed_login(request)
        return None, None

    async def read(conn: ReadConnection) -> str | None:
        return await shares.password_of(conn, hash_of(secret))

    return identity, await resources_of(request).read(read)


async def _logged_in(request: Request[Any, Any, Any]) -> Identity | None:
    """Whom the login of the browser stands for, if it has one."""
    access: ReportingAccess = request.app.state.access
    credential = credential_of(request.scope)
    return await access.verdicts.of(credential) if credential and credential.kind == "login" else None


def _sees(identity: Identity, shared: Identity) -> bool:
    """Whether somebody may see what a link shows: whoever has more keeps their login."""
    return identity.may(Scope.REPORTS_READ) and all(map(identity.sees, shared.sites or ()))


def _address(request: Request[Any, Any, Any], path: str) -> str:
    """Where a path of ours leads: at REPORTING_URL, or at the host that the request came to."""
    given = resources_of(request).settings.reporting_url
    return (given.rstrip("/") if given else str(request.base_url).rstrip("/")) + path


def _lead_home(cookie: dict[str, str]) -> Response[bytes]:
    headers = HEADERS | cookie | {"Location": HOME}
    return Response(b"", status_code=HTTPStatus.SEE_OTHER, media_type=MediaType.TEXT, headers=headers)


def _gone(request: Request[Any, Any, Any]) -> Response[Any]:
    if request.accept.best_match([MediaType.JSON, MediaType.HTML]) != MediaType.HTML:
        raise refuse(HTTPStatus.NOT_FOUND, GONE, headers=HEADERS)
    return Response(ENDED, status_code=HTTPStatus.NOT_FOUND, media_type=MediaType.HTML, headers=PAGE_HEADERS | HEADERS)
