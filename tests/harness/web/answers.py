"""Answers of the API made from its OpenAPI document: a field that the document does not name, or of another type, is refused.

A required field that is not given gets the plainest value of its type, so that a new field of the API needs no change here.
"""

import json
from functools import cache
from typing import Any

from marquee.platform.project import PROJECT

Json = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


@cache
def _schemas() -> Json:
    return dict(json.loads((PROJECT / "api" / "openapi.json").read_text())["components"]["schemas"])


def _resolved(schema: Json) -> Json:
    return _schemas()[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def made(name: str, /, **values: object) -> Json:
    """The schema `name` with these values. Raises `ValueError` where a value is not what the document says."""
    properties = _schemas()[name]["properties"]
    for field, value in values.items():
        if field not in properties:
            raise ValueError(f"{name} has no field {field} in api/openapi.json")
        if not conforms(value, properties[field]):
            raise ValueError(f"{name}.{field} is {value!r}, and api/openapi.json says {properties[field]}")
    plain = {
        field: _plainest(properties[field]) for field in _schemas()[name].get("required", ()) if field not in values
    }
    return plain | values


def refused(status: int, code: str, detail: str) -> tuple[int, Json]:
    return status, made(
        "Problem", type=f"https://example.invalid/{code}", title="Refused", status=status, code=code, detail=detail
    )


def conforms(value: object, schema: Json) -> bool:
    """Whether a value has the schema's type, as deep as it goes."""
    schema = _resolved(schema)
    if "anyOf" in schema:
        return any(conforms(value, one) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema.get("type")
    if kind is None:
        return True
    if not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return False
    if isinstance(value, list):
        return all(conforms(one, schema.get("items", {})) for one in value)
    if isinstance(value, dict):
        properties = schema.get("properties")
        lacking = set(schema.get("required", ())) - set(value)
        return properties is None or (
            not lacking and all(name in properties and conforms(one, properties[name]) for name, one in value.items())
        )
    return True


def _plainest(schema: Json) -> object:
    schema = _resolved(schema)
    if "default" in schema:
        return schema["default"]
    if "anyOf" in schema:
        return None if {"type": "null"} in schema["anyOf"] else _plainest(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return {field: _plainest(schema["properties"][field]) for field in schema.get("required", ())}
    plain: dict[str | None, object] = {
        "string": "",
        "integer": 0,
        "number": 0,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return plain.get(kind)
