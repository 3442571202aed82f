"""Whether a body is JSON that has one meaning: its declared type, its coding, and no key twice in one object.

msgspec takes the last of two equal keys, and another reader of the same bytes may take the first. The check costs 1 to 2 us for
a body as small as a progress report's, where all keys differ; any other body is parsed once more (14 ms for a megabyte).
"""

import json
import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from api.problems import ContentEncodingRefused, ContentTypeRefused
from marquee.errors import InputInvalid

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""A token of RFC 9110."""
_MEDIA_TYPE: Final = re.compile(rf'({_WORD}/{_WORD})((?:[ \t]*;(?:[ \t]*{_WORD}=(?:{_WORD}|"[^"\\]*"))?)*)[ \t]*')
_PARAMETER: Final = re.compile(rf'({_WORD})=(?:"([^"]*)"|({_WORD}))')
_UTF_8: Final = ("utf-8", "utf8")
_STRING: Final = re.compile(rb'"([^"]*)"(\s*:)?')
"""A string in JSON without escapes; the second group is there if it is a key."""


@lru_cache(256)
def check_content_type(stated: tuple[str, ...]) -> None:
    """`stated`: each Content-Type header of the request. Raises `ContentTypeRefused`."""
    if not stated:
        raise ContentTypeRefused("Send the body as application/json, and say so in Content-Type.", field="content-type")
    if len(stated) > 1:
        raise ContentTypeRefused("Content-Type stands twice: send it once.", field="content-type")
    found = _MEDIA_TYPE.fullmatch(stated[0].strip())
    kind = found[1].lower() if found else ""
    if not found or not (kind == "application/json" or kind.endswith("+json")):
        raise ContentTypeRefused(
            f"Send the body as application/json, not as {stated[0][:100] or 'nothing'}.", field="content-type"
        )
    charsets = [
        (quoted or plain).lower()
        for name, quoted, plain in _PARAMETER.findall(found[2])
        if name.lower() in ("charset", "charset*")
    ]
    if any(charset not in _UTF_8 for charset in charsets):
        raise ContentTypeRefused(
            f"JSON is UTF-8 here, not {', '.join(charsets)[:60]}: encode it again.", field="content-type"
        )


@lru_cache(256)
def check_content_encoding(stated: tuple[str, ...]) -> None:
    """`stated`: each Content-Encoding header of the request. Raises `ContentEncodingRefused`."""
    if any(each.strip().lower() not in ("", "identity") for each in stated):
        raise ContentEncodingRefused(
            f"Send the body without the content coding {', '.join(stated)[:60]}: bodies are not unpacked here.",
            field="content-encoding",
        )


def check_not_empty(body: bytes, kind: Any) -> None:
    """`kind`: what the body is decoded to. Raises `InputInvalid` if there is nothing to decode."""
    if body and not body.isspace():
        return
    needed = [one.encode_name for one in msgspec.structs.fields(kind) if one.required] if _is_struct(kind) else []
    fields = " and ".join(filter(None, (", ".join(needed[:-1]), *needed[-1:])))
    raise InputInvalid(f"The body is empty: send a JSON object{' with ' + fields if fields else ''}.", field="body")


def check_keys(body: bytes) -> None:
    """`body` is valid JSON in UTF-8. Raises `InputInvalid` for a key that stands twice in one object."""
    if b"\\" not in body:
        keys = [name for name, colon in _STRING.findall(body) if colon]
        if len(set(keys)) == len(keys):
            return
    # Numbers stay text: Python refuses to convert very long ones.
    json.loads(body, object_pairs_hook=_refuse_twice, parse_int=str, parse_float=str)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            shown = name[:60].encode(errors="replace").decode()
            raise InputInvalid(f"The key {shown} stands twice in one object: send it once.", field=shown)
        seen.add(name)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
