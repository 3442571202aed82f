"""Reads encoding profiles: the shipped ones by name, one's own by path. An error names file, line, field and remedy.

A file holds one profile, as YAML. The values are checked by the types of `contract`, then by its rules across fields. What is
allowed is told from the same types, so that an error's remedy is never out of date.
"""

import difflib
import re
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from marquee.documents import Codec
from marquee.errors import SettingsInvalid
from marquee.profiles import lines as lined
from marquee.profiles.contract import Profile, profile_fault

SHIPPED: Final = Path(__file__).parent / "shipped"
MAX_FILE_BYTES: Final = 64 * 1024
_AT: Final = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z_0-9]+)|\[(\d+)\]|\[\.\.\.\]")
_NAMED: Final = re.compile(r"field `([^`]*)`")


class ProfileInvalid(SettingsInvalid):
    """An encoding profile cannot be used."""

    title = "An encoding profile cannot be used"


def shipped_profiles() -> list[Profile]:
    """The profiles that the platform has, by name."""
    return [read_profile(path) for path in sorted(SHIPPED.glob("*.yaml"))]


def load_profile(name_or_path: str) -> Profile:
    """The profile of this name, or of this file (an absolute path).

    Raises `ProfileInvalid`, which names the file, the line, the field and what to do.
    """
    if name_or_path and "/" not in name_or_path and not name_or_path.endswith((".yaml", ".yml")):
        path = SHIPPED / f"{name_or_path}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(one.stem for one in SHIPPED.glob("*.yaml")))
            raise ProfileInvalid(
                f"There is no encoding profile {name_or_path!r}. Name one of {known}, or give the absolute path of a YAML file.",
                field="MARQUEE_PROFILE",
            )
        return read_profile(path)
    if not Path(name_or_path).is_absolute():
        raise ProfileInvalid(
            f"The encoding profile {name_or_path!r} is no absolute path: the platform's programs run in other folders. "
            "Give the path from / on.",
            field="MARQUEE_PROFILE",
        )
    return read_profile(Path(name_or_path))


def read_profile(path: Path) -> Profile:
    """The profile in one file. Raises `ProfileInvalid`."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ProfileInvalid(
            f"The encoding profile {path} cannot be read ({error.strerror}). Give the path of a YAML file.",
            field="MARQUEE_PROFILE",
        ) from error
    if len(body) > MAX_FILE_BYTES:
        raise _fault(path, 1, (), f"it has over {MAX_FILE_BYTES // 1024} KiB. A profile has a few lines.")
    try:
        found = lined.read_lined(body.decode())
    except UnicodeDecodeError as error:
        raise _fault(path, body[: error.start].count(b"\n") + 1, (), "it is not UTF-8. Save it as UTF-8.") from error
    except lined.LineFault as error:
        raise _fault(path, error.line, (), error.sentence) from error
    if not isinstance(found.value, dict):
        raise _fault(path, 1, (), "it holds no fields. Write `name: ...` and `videos:`.")
    try:
        profile = msgspec.convert(found.value, Profile)
    except msgspec.ValidationError as error:
        raise _type_fault(path, found, str(error)) from error
    wrong = profile_fault(profile)
    if wrong is not None:
        raise _fault(path, _line_of(found, wrong[0]), wrong[0], wrong[1])
    return profile


def _fault(path: Path, line: int, field: lined.Path, sentence: str) -> ProfileInvalid:
    name = _name_of(field)
    where = f"{path}, line {line}" + (f", {name}" if name else "")
    return ProfileInvalid(f"{where}: {sentence}", field=name or "MARQUEE_PROFILE")


def _name_of(field: lined.Path) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in field).lstrip(".")


def _line_of(found: lined.Lined, field: lined.Path) -> int:
    """The line of a field, or of what holds it if it is missing."""
    while field and field not in found.lines:
        field = field[:-1]
    return found.lines.get(field, 1)


def _type_fault(path: Path, found: lined.Lined, message: str) -> ProfileInvalid:
    """A fault that msgspec found, with the line, the value and what is allowed there."""
    read = _AT.match(message)
    problem, at = (read["problem"], read["path"] or "") if read else (message, "")
    field: lined.Path = tuple(
        int(index) if index else name for name, index in _STEP.findall(at.removeprefix("$")) if name or index
    )
    named = _NAMED.search(problem)
    if named and "unknown" in problem:
        known = sorted(_fields(_type_at(found.value, field)))
        close = difflib.get_close_matches(named[1], known, 1)
        advice = f"Did you mean {close[0]}?" if close else f"Known fields: {', '.join(known)}."
        field = (*field, named[1])
        return _fault(path, _line_of(found, field), field, f"there is no such field. {advice}")
    if named and "missing" in problem:
        allowed = _allowed(_type_at(found.value, (*field, named[1])))
        return _fault(
            path,
            _line_of(found, field),
            (*field, named[1]),
            f"the field is missing. Give it{allowed and ': '}{allowed}.",
        )
    value = _value_at(found.value, field)
    allowed = _allowed(_type_at(found.value, field)) or "a value of another kind"
    return _fault(path, _line_of(found, field), field, f"{value!r} cannot be used. Give {allowed}.")


def _value_at(value: Any, field: lined.Path) -> Any:
    for step in field:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _type_at(value: Any, field: lined.Path) -> inspect.Type | None:
    """The type of a field of `Profile`. Between several kinds of videos, the file's `codec` decides."""
    kind: inspect.Type | None = inspect.type_info(Profile)
    for step in field:
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        if isinstance(kind, inspect.ListType | inspect.VarTupleType):
            kind, value = kind.item_type, _value_at(value, (step,))
            kind = _of_codec(kind, value)
        elif isinstance(kind, inspect.StructType):
            kind, value = _fields(kind).get(str(step)), _value_at(value, (step,))
        else:
            return _codecs() if step == "codec" else None
    return kind


def _of_codec(kind: inspect.Type, value: Any) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    codec = value.get("codec") if isinstance(value, dict) else None
    return next((one for one in kind.types if isinstance(one, inspect.StructType) and one.tag == codec), kind)


def _codecs() -> inspect.Type:
    return inspect.type_info(Codec)


def _fields(kind: inspect.Type | None) -> dict[str, inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if not isinstance(kind, inspect.StructType):
        return {"codec": _codecs()}
    tag = {kind.tag_field: _codecs()} if kind.tag_field else {}
    return {**tag, **{one.encode_name: one.type for one in kind.fields}}


def _allowed(kind: inspect.Type | None) -> str:
    """What a field of this type takes, in words; empty for what words do not help with."""
    match kind:
        case inspect.Metadata():
            return _allowed(kind.type)
        case inspect.LiteralType():
            return "one of " + ", ".join(map(str, kind.values))
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            what = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return f"{what} from {kind.ge:g} to {kind.le:g}" if kind.ge is not None and kind.le is not None else what
        case inspect.StrType(pattern=str()):
            return "a short name of a-z, 0-9, - and _"
        case inspect.StrType():
            return f"a text of at most {kind.max_length} letters"
        case inspect.ListType() | inspect.VarTupleType():
            return f"a list of {kind.min_length or 0} to {kind.max_length} items"
        case inspect.StructType() | inspect.UnionType():
            return "the fields " + ", ".join(sorted(_fields(kind)))
        case _:
            return ""
