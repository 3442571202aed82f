"""Makes OpenAPI describe each struct by msgspec's own JSON Schema, which has every bound in it.

Litestar's own description of a struct leaves out two things: the bounds inside lists and optional fields, and that
unknown fields are refused. A client generated from it would send bodies that the decoder refuses.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar._openapi.schema_generation.schema import SchemaCreator
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Reference, Schema
from litestar.typing import FieldDefinition

_COMPONENTS: Final = "#/components/schemas/{name}"
_SCHEMA_FIELDS: Final = {
    "description": "description",
    "default": "default",
    "enum": "enum",
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
}
"""JSON Schema keyword -> field of Litestar's `Schema`."""


class ExactStructs(StructSchemaPlugin):
    """Describes structs as their decoder reads them.

    `beside`: answer -> body that is posted to a URL of this answer, of a handler that reads its body itself.
    """

    def __init__(self, beside: Mapping[type, type]) -> None:
        super().__init__()
        self._beside = beside

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        # Litestar's own method is called because it registers the structs inside this one as components.
        schema = super().to_openapi_schema(field_definition, schema_creator)
        kind = field_definition.type_
        _, components = msgspec.json.schema_components([kind], ref_template=_COMPONENTS)
        exact = components[kind.__name__]
        schema.properties = {name: _described(one) for name, one in exact["properties"].items()}
        schema.required = exact["required"] or None
        schema.description = exact.get("description")
        if exact.get("additionalProperties") is False:
            schema.additional_properties = False
        if kind in self._beside:
            schema_creator.for_field_definition(FieldDefinition.from_annotation(self._beside[kind]))
        return schema


def _described(exact: dict[str, Any]) -> Schema | Reference:
    if "$ref" in exact:
        return Reference(ref=exact["$ref"])
    schema = Schema(**{_SCHEMA_FIELDS[name]: value for name, value in exact.items() if name in _SCHEMA_FIELDS})
    if "type" in exact:
        schema.type = OpenAPIType(exact["type"])
    if "format" in exact:
        schema.format = OpenAPIFormat(exact["format"])
    if "anyOf" in exact:
        schema.any_of = [_described(one) for one in exact["anyOf"]]
    if isinstance(exact.get("items"), dict):
        schema.items = _described(exact["items"])
    if isinstance(exact.get("additionalProperties"), dict):
        schema.additional_properties = _described(exact["additionalProperties"])
    return schema
