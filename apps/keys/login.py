"""Logging in: the page at /login, POST /login and POST /logout, and GET /me."""

import html
from http import HTTPStatus
from importlib import resources as files
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, get, post
from msgspec import Meta

from apps.access.credentials import Credential, credential_of, invalid, is_from_another_page, set_cookie
from apps.access.guard import identity_of
from apps.access.limits import limit_login, note_failed_login
from apps.access.needs import ANY_KEY, PUBLIC, needs
from apps.keys.access import ReportingAccess, from_another_page
from apps.keys.bodies import read_json
from apps.reporting_resources import resources_of
from apps.web.openapi import answer
from apps.web.problems import Refusal, error_response
from apps.web.schema_page import HEAD, PAGE_HEADERS, TITLE
from db.access import audit, logins
from db.access.scopes import Identity
from db.connections.errors import is_unavailable
from db.connections.pools import ReadConnection

#: Where a login leads.
HOME = "/schema"
NO_STORE = {"Cache-Control": "no-store"}

STYLE = """\
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 15vh auto; padding: 0 1rem }
:root { color-scheme: light dark }
input, button { font: inherit; padding: .4rem .6rem; box-sizing: border-box; width: 100%; margin-top: .5rem }
[role=alert] { color: #c33; min-height: 1.5em }
</style>
"""
PAGE = (
    HEAD.format(title=f"Log in: {TITLE}")
    + STYLE
    + f"""\
<script src="/login.js" defer></script>
</head>
<body data-home="{HOME}" data-login="none">
<h1>Log in</h1>
<form>
<label>Key
<input type="password" name="key" autocomplete="current-password" placeholder="tjra_..." required autofocus></label>
<button>Log in</button>
<p role="alert"></p>
</form>
<p>The first start showed a key. On the machine, <code>tjra key create</code> makes another.</p>
<noscript>Logging in needs JavaScript. Programs send <code>Authorization: Bearer</code> and the key.</noscript>
</body>
</html>
"""
).encode()


#: The same where nobody can tell whether there is a login: the script asks again before it replaces one.
PAGE_IF_UNKNOWN = PAGE.replace(b'data-login="none"', b'data-login="unknown"')

#: The page of who has come in: by a login, which can be ended, or otherwise.
INSIDE = (
    HEAD.format(title=f"Logged in: {TITLE}")
    + STYLE.replace("{", "{{").replace("}", "}}")
    + """\
<script src="/login.js" defer></script>
</head>
<body data-home="{home}">
<h1>{title}</h1>
<p>{who}</p>
<p>Scopes: {scopes}. Sites: {sites}.</p>
<p><a href="/schema">Interactive documentation</a>, <a href="/">all paths</a>.</p>
{button}
<p role="alert"></p>
</body>
</html>
"""
)


class Login(msgspec.Struct, kw_only=True):
    """The body of POST /login."""

    key: Annotated[str, Meta(max_length=200, description="The key.")]


class Me(msgspec.Struct, kw_only=True):
    """Who sends the request."""

    name: Annotated[str, Meta(description="The name of the key, or of the user whom the proxy names.")]
    key_id: UUID | None
    scopes: list[str]
    sites: Annotated[list[str] | None, Meta(description="null: all.")]
    share: bool


ME = Me(name="Grafana", key_id=UUID(int=0), scopes=["reports:read"], sites=None, share=False)


def me_of(identity: Identity) -> Me:
    """What GET /me says of somebody."""
    sites = None if identity.sites is None else sorted(identity.sites)
    return Me(
        name=identity.name, key_id=identity.key_id, scopes=sorted(identity.scopes), sites=sites, share=identity.share
    )


@get("/login", include_in_schema=False, opt=needs(PUBLIC))
async def login_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page to log in, or of who is logged in, with a button to log out.

    A key in its fragment (`/login#key=...`), which no server sees, is used at once, unless somebody is logged in by
    another key: then the page asks, as any page may have opened it.
    """
    access: ReportingAccess = request.app.state.access
    scope: Any = request.scope
    page = PAGE  # whoever is in, a key can be given
    try:
        if identity := await access.identity(scope):
            page = _inside(identity, by_cookie=_has_login(scope) and identity.key_id is not None)
    except Exception as error:
        if is_unavailable(error):
            page = PAGE_IF_UNKNOWN
        elif not isinstance(error, Refusal):
            raise
    return Response(page, media_type=MediaType.HTML, headers=PAGE_HEADERS | NO_STORE)


def _has_login(scope: Any) -> bool:
    credential = credential_of(scope)
    return credential is not None and credential.kind == "login"


def _inside(identity: Identity, *, by_cookie: bool) -> bytes:
    me = me_of(identity)
    return INSIDE.format(
        home=HOME,
        title="Logged in" if by_cookie else "No login is needed",
        who=html.escape(f"{me.name}, by a share link" if me.share else me.name),
        scopes=html.escape(", ".join(me.scopes)),
        sites="all" if me.sites is None else html.escape(", ".join(me.sites)),
        button="<button>Log out</button>" if by_cookie else "",
    ).encode()


@get("/login.js", include_in_schema=False, sync_to_thread=True, opt=needs(PUBLIC))
def login_script() -> Response[bytes]:
    """The script of that page."""
    script = files.files("apps.keys").joinpath("login.js").read_bytes()
    return Response(script, media_type="text/javascript", headers=NO_STORE)


@post("/login", include_in_schema=False, status_code=HTTPStatus.OK, opt=needs(PUBLIC))
async def post_login(request: Request[Any, Any, Any]) -> Response[Me]:
    """Swaps a key for a cookie, which lasts for 14 days without a request, and for 90 at most.

    Each login has a new secret; one that the browser had before ends.
    """
    scope: Any = request.scope
    if is_from_another_page(scope):
        raise from_another_page()
    await limit_login(request)
    given = await read_json(request, Login, "login")
    access: ReportingAccess = request.app.state.access
    identity = await access.verdicts.of(Credential("key", given.key.strip()))
    if identity is None or identity.share or identity.key_id is None:
        await note_failed_login(request)
        raise invalid()
    return Response(me_of(identity), headers=NO_STORE | await log_in(request, identity))


async def log_in(request: Request[Any, Any, Any], identity: Identity) -> dict[str, str]:
    """Log a browser in; return the header with its new cookie. The login that it had before ends."""
    scope: Any = request.scope
    before = credential_of(scope)
    key_id = identity.key_id
    if key_id is None:
        raise invalid()

    async def store(conn: ReadConnection) -> str:
        if before and before.kind == "login":
            await logins.delete_login(conn, before.secret)
        if not identity.share:  # whoever has the link
            await audit.note(conn, str(identity), "login", {})
        return await logins.create_login(conn, key_id)

    return {"Set-Cookie": set_cookie(scope, await resources_of(request).read(store))}


@post("/logout", include_in_schema=False, status_code=HTTPStatus.NO_CONTENT, opt=needs(ANY_KEY))
async def post_logout(request: Request[Any, Any, Any]) -> Response[None]:
    """Ends the login of the cookie. With a key there is none to end."""
    scope: Any = request.scope
    credential = credential_of(scope)
    if credential and credential.kind == "login":
        access: ReportingAccess = request.app.state.access
        secret = credential.secret

        async def log_out(conn: ReadConnection) -> None:
            await logins.delete_login(conn, secret)

        await resources_of(request).read(log_out)
        access.verdicts.forget()
    headers = NO_STORE | {"Set-Cookie": set_cookie(scope, "")}
    return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=headers)


@get(
    "/me",
    summary="Who am I",
    tags=["access"],
    sync_to_thread=False,
    opt=needs(ANY_KEY),
    responses={200: answer("The key or login of this request.", ME)},
)
def get_me(request: Request[Any, Any, Any]) -> Response[Me]:
    """The name, scopes and sites of the key or login of this request."""
    return Response(me_of(identity_of(request)), headers=NO_STORE)


def login_or_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler: browsers that open a page without a login get the page to log in, with the status 401."""
    response = error_response(request, error)
    if response.status_code == HTTPStatus.UNAUTHORIZED and request.method == "GET":
        response.headers["Vary"] = "Accept, Authorization, Cookie"
        if request.accept.best_match([MediaType.JSON, MediaType.HTML]) == MediaType.HTML:
            headers = PAGE_HEADERS | NO_STORE | dict(response.headers)
            return Response(PAGE, status_code=response.status_code, media_type=MediaType.HTML, headers=headers)
    return response
