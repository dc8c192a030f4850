"""The OpenAPI documents of both apps, with examples that work unchanged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from http import HTTPStatus
from importlib import metadata
from operator import or_
from typing import Any, cast

import msgspec
from litestar import Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    Components,
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIFormat

from apps.web.app_urls import AppUrls
from apps.web.schema_page import PAGE_HEADERS, TITLE, LinkedDocument, SchemaPage, assets
from db.events.errors import description
from db.settings import Settings

#: The schema of a body that is any JSON object.
OBJECT = {"type": "object"}


def openapi(
    app: str,
    text: str,
    settings: Settings,
    *,
    security: Components | None,
    opt: Mapping[str, Any],
    public: Mapping[str, Any],
) -> OpenAPIConfig:
    """The OpenAPI configuration of an app: its UI at /schema, the document at /schema/openapi.json.

    security: the ways to send a key. opt: that of the handlers of these paths; public: of files that anybody may have.
    """
    addresses = AppUrls(settings)
    pages = Router("/schema", route_handlers=[], include_in_schema=False, response_headers=PAGE_HEADERS, opt=dict(opt))
    return OpenAPIConfig(
        title=f"{TITLE}: {app}",
        version=metadata.version("tjra-retail-analytics"),
        description=text.strip(),
        use_handler_docstrings=True,
        components=security or Components(),
        render_plugins=[SchemaPage(app, addresses, files=assets(public)), LinkedDocument(addresses)],
        openapi_router=pages,
    )


def answer(
    description: str,
    example: msgspec.Struct,
    media_type: str = "application/json",
    others: Sequence[msgspec.Struct] = (),
) -> ResponseSpec:
    """Document a response by an example, whose type is the schema. others: examples of other types that it may have."""
    kinds = [type(one) for one in (example, *others)]
    return ResponseSpec(
        data_container=reduce(or_, kinds),
        description=description,
        media_type=media_type,
        generate_examples=False,
        examples=[Example(value=msgspec.json.decode(msgspec.json.encode(one))) for one in (example, *others)],
    )


def operation(
    *,
    query: type[msgspec.Struct] | None = None,
    body: dict[str, tuple[dict[str, Any], Any]] | None = None,
    body_required: bool = True,
    examples: Mapping[str, Any] | None = None,
    tables: Mapping[str, str] | None = None,
) -> type[Operation]:
    """Document the operation of a handler that reads its parameters or its body itself.

    `query`: the Struct of its parameters. `body`: a schema and an example for each media type. `examples`: values that
    the UI fills into parameters. A required parameter without one gets the example of its type; an optional one stays
    empty. A request with these values must succeed. `tables`: other media types of its answer, an example of each.
    """
    given = examples or {}
    parameters: list[Any] = [_parameter(field, given) for field in msgspec.structs.fields(query)] if query else []
    content = {
        media_type: OpenAPIMediaType(
            schema=schema,  # type: ignore[arg-type]  # Litestar writes a JSON schema out unchanged
            examples={"example": Example(value=example)},
        )
        for media_type, (schema, example) in (body or {}).items()
    }

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            in_path = [_in_path(parameter, given) for parameter in self.parameters or []]
            self.parameters = [*in_path, *parameters] or None
            # Litestar adds its own 400 to every handler with parameters, even if it cannot happen.
            self.responses = {
                status: response
                for status, response in (self.responses or {}).items()
                if response.description != HTTPStatus.BAD_REQUEST.description
            }
            for response in self.responses.values():
                _name_any(cast("OpenAPIResponse", response))
            for media_type, text in (tables or {}).items():
                described = OpenAPIMediaType(examples={"example": Example(value=text)})
                content_of_200 = cast(
                    "dict[str, OpenAPIMediaType]", cast("OpenAPIResponse", self.responses["200"]).content
                )
                content_of_200[media_type] = described
            self.request_body = RequestBody(content=content, required=body_required) if content else None

    return Documented


def _name_any(response: OpenAPIResponse) -> None:
    """Of several types an answer may have, `oneOf` forbids what fits two: a series of visits may fit one of events."""
    for content in (response.content or {}).values():
        if isinstance(content.schema, Schema) and content.schema.one_of:
            content.schema.any_of, content.schema.one_of = content.schema.one_of, None


def _in_path(parameter: Any, examples: Mapping[str, Any]) -> Any:
    """A path parameter. Litestar documents `{x:path}` with format "uri"; ours are plain text."""
    if parameter.schema.format == OpenAPIFormat.URI:
        parameter.schema.format = None
    parameter.example = examples[parameter.name]
    return parameter


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type, with the schemas of Structs inlined."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(one) for one in part]
        if not isinstance(part, dict):
            return part
        return inlined(components[part["$ref"]]) if "$ref" in part else {key: inlined(part[key]) for key in part}

    whole: dict[str, Any] = inlined(schema)
    return whole


def _parameter(field: msgspec.structs.FieldInfo, examples: Mapping[str, Any]) -> Parameter:
    schema = json_schema(field.type)
    example = examples.get(field.encode_name)
    if field.required and example is None:
        example = schema["examples"][0]
    return Parameter(
        name=field.encode_name,
        param_in="query",
        required=field.required,
        description=description(field.type),
        schema=schema,  # type: ignore[arg-type]
        example=example,
        allow_empty_value=not field.required,  # an empty value counts as not given
    )
