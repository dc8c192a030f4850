"""Query parameters: the Struct of a report checks them, carries them, and documents them (openapi.py)."""

from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar import Request

from apps.problems import refuse
from db.event import MAX_BYTES, text_fault
from db.event_errors import FieldError, description, sentence

Query = TypeVar("Query", bound=msgspec.Struct)


def read_query(request: Request[Any, Any, Any], query: type[Query]) -> Query:
    """The request's parameters as this Struct; an empty one counts as not given.

    Raises Refusal (400) that names each bad parameter: missing, given twice, unknown, or with a value not allowed.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(query)}
    errors = []
    values = {}
    for name, given in request.query_params.dict().items():
        if name not in fields:
            errors.append(FieldError(field=name, reason="is unknown", allowed=f"one of {', '.join(fields)}"))
        elif len(given) > 1:
            errors.append(_error(fields[name], f"is given {len(given)} times"))
        elif given[0]:
            try:
                values[name] = _value(fields[name], given[0])
            except ValueError as error:
                errors.append(_error(fields[name], sentence(error)))
    named = {error.field for error in errors}
    errors += [
        _error(field, "is missing")
        for name, field in fields.items()
        if field.required and name not in values and name not in named
    ]
    if errors:
        raise refuse(HTTPStatus.BAD_REQUEST, "a parameter is not valid", errors)
    return msgspec.convert(values, query)


def _value(field: msgspec.structs.FieldInfo, text: str) -> Any:
    value = msgspec.convert(text, field.type, strict=False)
    if isinstance(value, str) and "\0" in value:
        raise ValueError("holds U+0000")
    if field.encode_name in MAX_BYTES and (fault := text_fault(field.encode_name, value)):
        raise ValueError(fault)
    return value


def _error(field: msgspec.structs.FieldInfo, reason: str) -> FieldError:
    return FieldError(field=field.encode_name, reason=reason, allowed=description(field.type))
