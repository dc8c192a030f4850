"""Query parameters: a Struct validates them, holds them, and documents them (openapi.py)."""

from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec
import msgspec.inspect
from litestar import Request
from msgspec import Meta

from apps.web.problems import QUERY, refuse
from db.events.errors import FieldError, description
from db.events.limits import MAX_BYTES, text_fault
from db.events.reasons import sentence

Query = TypeVar("Query", bound=msgspec.Struct)

#: Of operations that change what is there. Their example has it, so that the first click in the UI changes nothing.
DryRun = Annotated[bool, Meta(description="`true`: check and count, and change nothing.")]
CHANGES_NOTHING = {"dry_run": True}


def read_query(request: Request[Any, Any, Any], query: type[Query]) -> Query:
    """The request's parameters as this Struct. An empty one counts as not given; a list parameter may be repeated.

    Raises Refusal (400) that names each bad parameter: missing, given twice, unknown, or with an invalid value.
    """
    scope: Any = request.scope
    scope[QUERY] = query  # for the answer to a BadParameter
    fields, lists = _fields(query)
    errors = []
    values = {}
    for name, given in request.query_params.dict().items():
        if name not in fields:
            errors.append(FieldError(field=name, reason="is unknown", allowed=f"one of {', '.join(fields)}"))
        elif name in lists:
            try:
                values[name] = [_value(fields[name], [text])[0] for text in given]
            except ValueError as error:
                errors.append(_error(fields[name], sentence(error, fields[name].type)))
        elif len(given) > 1:
            errors.append(_error(fields[name], f"is given {len(given)} times"))
        elif given[0]:
            try:
                values[name] = _value(fields[name], given[0])
            except ValueError as error:
                errors.append(_error(fields[name], sentence(error, fields[name].type)))
    named = {error.field for error in errors}
    errors += [
        _error(field, "is missing")
        for name, field in fields.items()
        if field.required and name not in values and name not in named
    ]
    if errors:
        raise refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", errors)
    return msgspec.convert(values, query)


@cache
def _fields(query: type[msgspec.Struct]) -> tuple[dict[str, msgspec.structs.FieldInfo], frozenset[str]]:
    """The parameters by name, and the names of those that are lists."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(query)}
    return fields, frozenset(name for name, field in fields.items() if _is_list(field))


def _is_list(field: msgspec.structs.FieldInfo) -> bool:
    kind = msgspec.inspect.type_info(field.type)
    return isinstance(kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind, msgspec.inspect.ListType)


def _value(field: msgspec.structs.FieldInfo, given: str | list[str]) -> Any:
    try:
        value = msgspec.convert(given, field.type)
    except msgspec.ValidationError:
        value = msgspec.convert(given, field.type, strict=False)
        if isinstance(value, datetime):  # msgspec reads a number as Unix seconds, which is not allowed here
            raise
    if "\0" in "".join(given):
        raise ValueError("holds U+0000")
    for text in value if isinstance(value, list) else [value]:
        if field.encode_name in MAX_BYTES and (fault := text_fault(field.encode_name, text)):
            raise ValueError(fault)
    return value


def _error(field: msgspec.structs.FieldInfo, reason: str) -> FieldError:
    return FieldError(field=field.encode_name, reason=reason, allowed=description(field.type))
