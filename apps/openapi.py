"""The OpenAPI documents of both apps and their UI at /schema, whose files come from an installed package."""

from dataclasses import dataclass
from http import HTTPStatus
from importlib import metadata, resources
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, Parameter, RequestBody
from litestar.openapi.spec.enums import OpenAPIFormat
from litestar.params import PathParameter

from db.event_errors import description

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
FOLDER = "/schema/assets"


@get("/assets/{name:str}", include_in_schema=False, sync_to_thread=True)
def asset(name: Annotated[str, PathParameter()]) -> Response[bytes]:
    """One of the UI's files."""
    if name not in ASSETS:
        raise NotFoundException
    content = (resources.files("swagger_ui") / "static" / name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers={"Cache-Control": "public, max-age=86400"})


class OfflineSwagger(SwaggerRenderPlugin):
    """Swagger UI without a CDN: its files are those of the package swagger-ui-py."""

    def __init__(self) -> None:
        super().__init__(
            js_url=f"{FOLDER}/swagger-ui-bundle.js",
            css_url=f"{FOLDER}/swagger-ui.css",
            standalone_preset_js_url=f"{FOLDER}/swagger-ui-standalone-preset.js",
            favicon=f'<link rel="icon" type="image/png" href="{FOLDER}/favicon-32x32.png">',
        )

    def receive_router(self, router: Router) -> None:
        router.register(asset)


def openapi(title: str, text: str) -> OpenAPIConfig:
    """The document of an app, with its UI at /schema and itself at /schema/openapi.json."""
    return OpenAPIConfig(
        title=title,
        version=metadata.version("tjra-retail-analytics"),
        description=text.strip(),
        use_handler_docstrings=True,
        render_plugins=[OfflineSwagger()],
    )


def answer(description: str, example: msgspec.Struct, media_type: str = "application/json") -> ResponseSpec:
    """How an answer is documented: by one such, whose type is the schema."""
    return ResponseSpec(
        data_container=type(example),
        description=description,
        media_type=media_type,
        generate_examples=False,
        examples=[Example(value=msgspec.json.decode(msgspec.json.encode(example)))],
    )


def operation(
    *,
    query: type[msgspec.Struct] | None = None,
    body: dict[str, tuple[dict[str, Any], Any]] | None = None,
    body_required: bool = True,
) -> type[Operation]:
    """The documented operation of a handler that reads its parameters or its body itself.

    `query` is the Struct that it reads its parameters as; `body` has a schema and an example for each media type.
    """
    parameters: list[Any] = [_parameter(field) for field in msgspec.structs.fields(query)] if query else []
    content = {
        media_type: OpenAPIMediaType(
            schema=schema,  # type: ignore[arg-type]  # a JSON schema is written out as it is
            examples={"example": Example(value=example)},
        )
        for media_type, (schema, example) in (body or {}).items()
    }

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            self.parameters = [*map(_in_path, self.parameters or []), *parameters] or None
            # Litestar adds a 400 of its own to every handler with parameters, whether it can happen or not.
            self.responses = {
                status: response
                for status, response in (self.responses or {}).items()
                if response.description != HTTPStatus.BAD_REQUEST.description
            }
            self.request_body = RequestBody(content=content, required=body_required) if content else None

    return Documented


def _in_path(parameter: Any) -> Any:
    """A parameter that Litestar has documented: what takes slashes too is text and no URI, as it says."""
    if parameter.schema.format == OpenAPIFormat.URI:
        parameter.schema.format = None
    return parameter


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type; Structs' in place, not by reference."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(one) for one in part]
        if not isinstance(part, dict):
            return part
        return inlined(components[part["$ref"]]) if "$ref" in part else {key: inlined(part[key]) for key in part}

    whole: dict[str, Any] = inlined(schema)
    return whole


def _parameter(field: msgspec.structs.FieldInfo) -> Parameter:
    return Parameter(
        name=field.encode_name,
        param_in="query",
        required=field.required,
        description=description(field.type),
        schema=json_schema(field.type),  # type: ignore[arg-type]
        allow_empty_value=not field.required,  # it counts as not given
    )
