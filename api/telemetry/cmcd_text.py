"""Reads the text of a CMCD version 2 report: one event a line, each a dictionary of structured fields (RFC 9651).

That is what hls.js sends from `cmcd.eventTargets`, and every player with SVTA's encoder. Unknown keys are ignored. A value of
another type than its key's counts as not said. A line that is no dictionary, or names no event, refuses the whole report: the
player has a fault that its developer should see.
"""

import hashlib
import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

import http_sf
from http_sf import Token
from http_sf.errors import StructuredFieldError

from marquee.domain.cmcd import CmcdReport
from marquee.errors import InputInvalid

MAX_LINES: Final = 200
MAX_LINE_CHARACTERS: Final = 2000
MAX_SEQUENCE: Final = 2**31 - 1
MAX_RATE: Final = 16.0
MAX_MILLISECONDS: Final = 24 * 3_600_000
MAX_CODE_CHARACTERS: Final = 60
STATES: Final = frozenset("spkraefqd")
PICTURES: Final = ("v", "av")
_NO_CODE: Final = re.compile(r"[^A-Za-z0-9._:/-]+")


class CmcdLine(NamedTuple):
    """`ts` as the player's clock says it, `sn` as it counts its reports; None where it says nothing. `digest` is the same for
    the same line."""

    ts: int | None
    sn: int | None
    digest: str
    sf: str | None
    sid: str
    """The player: one session may have two, after a reload or side by side. Empty: it does not say."""
    values: dict[str, Any]

    def report(self, at_ms: int) -> CmcdReport:
        return CmcdReport(at_ms=at_ms, ts=self.ts, **self.values)


def lines_of(text: str) -> list[str]:
    """The lines that are not empty. Raises `InputInvalid` for too many, for one that is too long, and for none."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputInvalid("The report is empty: send one event a line.", field="body")
    if len(lines) > MAX_LINES:
        raise InputInvalid(f"The report has {len(lines)} lines: send at most {MAX_LINES}.", field="body")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise InputInvalid(
                f"Line {number} has {len(line)} characters: {MAX_LINE_CHARACTERS} are the most.",
                field=f"body[{number}]",
            )
    return lines


def read_lines(lines: list[str]) -> list[CmcdLine]:
    """Raises `InputInvalid`, with the number of the line."""
    return [_line(line, number) for number, line in enumerate(lines, 1)]


def _line(line: str, number: int) -> CmcdLine:
    field = f"body[{number}]"
    try:
        said: Any = http_sf.parse(line.strip().encode("ascii"), tltype="dictionary")
    except (StructuredFieldError, UnicodeEncodeError, ValueError, RecursionError) as error:
        raise InputInvalid(f"Line {number} is no dictionary of structured fields: {error}.", field=field) from error
    event = _token(said, "e")
    if event is None:
        raise InputInvalid(f"Line {number} has no key e: event reports name their event (CTA-5004-B).", field=field)
    state = _token(said, "sta")
    values = {
        "e": event,
        "sta": state if state in STATES else None,
        "br": _listed(said, "br"),
        "bl": _listed(said, "bl", MAX_MILLISECONDS),
        "mtp": _listed(said, "mtp"),
        "pt": _whole(said, "pt", 7 * MAX_MILLISECONDS),
        "pr": _bounded(_value(said, "pr"), MAX_RATE),
        "msd": _whole(said, "msd", MAX_MILLISECONDS),
        "bsd": _sum(said, "bsd"),
        "dfa": _whole(said, "dfa", 10_000_000),
        "ec": _code(said),
        "ot": _token(said, "ot"),
        "rc": _whole(said, "rc", 999),
        "ttlb": _whole(said, "ttlb", MAX_MILLISECONDS),
    }
    digest = hashlib.blake2b(line.strip().encode(), digest_size=9).hexdigest()
    counted = _whole(said, "sn", MAX_SEQUENCE)
    return CmcdLine(_whole(said, "ts", 2**53), counted, digest, _token(said, "sf"), _player(said), values)


def _value(said: dict[str, Any], key: str) -> Any:
    """The value without its parameters."""
    found = said.get(key)
    return found[0] if isinstance(found, tuple) else None


def _token(said: dict[str, Any], key: str) -> str | None:
    found = _value(said, key)
    return str(found)[:20] if isinstance(found, Token) else None


def _player(said: dict[str, Any]) -> str:
    found = _value(said, "sid")
    return str(found)[:64] if isinstance(found, str) else ""


def _number(found: Any) -> float | None:
    return float(found) if isinstance(found, int | Decimal) and not isinstance(found, bool) and found >= 0 else None


def _bounded(found: Any, most: float) -> float | None:
    """A number from 0 to `most`: whoever says more says nothing."""
    number = _number(found)
    return number if number is not None and number <= most else None


def _whole(said: dict[str, Any], key: str, most: int) -> int | None:
    found = _bounded(_value(said, key), most)
    return None if found is None else round(found)


def _members(said: dict[str, Any], key: str) -> list[tuple[float, dict[str, Any]]]:
    """The numbers of an inner list, with their parameters. A bare number, as version 1 has it, is a list of one."""
    found = _value(said, key)
    members = found if isinstance(found, list) else [said[key]] if key in said else []
    numbers = [(_number(member[0]), member[1]) for member in members if isinstance(member, tuple)]
    return [(number, parameters) for number, parameters in numbers if number is not None]


def _listed(said: dict[str, Any], key: str, most: int = 1_000_000) -> int | None:
    """Of the picture if that is named, else the largest."""
    members = _members(said, key)
    named = [value for value, parameters in members if any(name in parameters for name in PICTURES)]
    values = named or [value for value, _ in members]
    return round(max(values)) if values and max(values) <= most else None


def _sum(said: dict[str, Any], key: str) -> int | None:
    values = [value for value, _ in _members(said, key)]
    return round(sum(values)) if values and sum(values) <= MAX_MILLISECONDS else None


def _code(said: dict[str, Any]) -> str | None:
    """The first code, in the letters that codes have here."""
    found = _value(said, "ec")
    first = found[0][0] if isinstance(found, list) and found else found
    if not isinstance(first, str):
        return None
    return _NO_CODE.sub("-", first).strip("-")[:MAX_CODE_CHARACTERS] or None
