"""Judges an MPD by MPEG's schema: order and number of elements, required attributes, types of values. Pure.

The source is `DASH-MPD.xsd` of ISO/IEC 23009-1 (2022), which may not be copied into the project. So the tables below are our own.
They hold the elements that `dash` writes, each wherever the schema allows it, with all attributes of its type. An element that is
not in the tables is a finding, so a new element of `dash` fails the chain's check until it is added here.
`tests/media/package/test_dash_schema.py` compares this judge with the real schema where that is at hand. Next: `verify`.
"""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

NAMESPACE: Final = "{urn:mpeg:dash:schema:mpd:2011}"
_MANY: Final = 1 << 30

Check = Callable[[str], bool]


def _pattern(expression: str) -> Check:
    compiled = re.compile(expression)
    return lambda value: compiled.fullmatch(value) is not None


def _integer(least: int | None, most: int | None) -> Check:
    def check(value: str) -> bool:
        text = value.strip(" \t\r\n")
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            return False
        return (least is None or int(text) >= least) and (most is None or int(text) <= most)

    return check


def _collapsed(check: Check) -> Check:
    """XML Schema's `whiteSpace=collapse`: white space around the value does not count."""
    return lambda value: check(value.strip(" \t\r\n"))


def _anything(_: str) -> bool:
    return True


_UNSIGNED: Final = _integer(0, 2**32 - 1)
_LONG: Final = _integer(0, 2**64 - 1)
_BOOLEAN: Final = _collapsed(_pattern("true|false|0|1"))
_DOUBLE: Final = _collapsed(_pattern(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN"))
_DURATION: Final = _collapsed(
    _pattern(
        r"-?P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?",
    )
)
_LANGUAGE: Final = _collapsed(_pattern("[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"))
_RATIO: Final = _pattern("[0-9]*:[0-9]*")
_RATE: Final = _pattern("[0-9]+(/[1-9][0-9]*)?")
_NO_SPACE: Final = _pattern(r"[^\s]*")
_TOKEN: Final = r"[A-Za-z0-9$\-_.+^|'`%!*#\\~&]+"  # noqa: S105 - a token of RFC 2045
_CODECS: Final = _pattern(f"{_TOKEN}(,{_TOKEN})*")
_PROFILES: Final = _pattern(r"[^\s,]+(,[ \t]*[^\s,]+)*")
_URI: Final = _collapsed(_pattern(r"([A-Za-z][A-Za-z0-9+.-]*:.*|[^:/?#]*([/?#].*)?)"))
_CONTENT: Final = _pattern("text|image|audio|video|application|font")
_SAP: Final = _integer(0, 6)
_RATES: Final = _collapsed(lambda value: 1 <= len(value.split()) <= 2 and all(_UNSIGNED(one) for one in value.split()))
_DATE_TIME: Final = _collapsed(_pattern(r"-?[0-9]{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"))


class Element(NamedTuple):
    """What an element may hold. `children` are in the schema's order, as (name, least, most)."""

    children: tuple[tuple[str, int, int], ...] = ()
    attributes: Mapping[str, Check] = {}
    required: frozenset[str] = frozenset()
    text: Check | None = None
    """The check of its text; None: only elements, with white space between them."""


def _optional(*names: str) -> tuple[tuple[str, int, int], ...]:
    return tuple((name, 0, _MANY) for name in names)


_REPRESENTATION_BASE_CHILDREN: Final = _optional(
    "AudioChannelConfiguration", "EssentialProperty", "SupplementalProperty", "Label"
)
_REPRESENTATION_BASE_ATTRIBUTES: Final[Mapping[str, Check]] = {
    "profiles": _PROFILES,
    "width": _UNSIGNED,
    "height": _UNSIGNED,
    "sar": _RATIO,
    "frameRate": _RATE,
    "audioSamplingRate": _RATES,
    "mimeType": _anything,
    "codecs": _CODECS,
    "maximumSAPPeriod": _DOUBLE,
    "startWithSAP": _SAP,
    "maxPlayoutRate": _DOUBLE,
    "codingDependency": _BOOLEAN,
    "scanType": _pattern("progressive|interlaced|unknown"),
    "selectionPriority": _UNSIGNED,
    "tag": _anything,
}
_DESCRIPTOR: Final = Element(
    attributes={"schemeIdUri": _URI, "value": _anything, "id": _anything}, required=frozenset({"schemeIdUri"})
)

ELEMENTS: Final[Mapping[str, Element]] = {
    "MPD": Element(
        children=(
            ("BaseURL", 0, _MANY),
            ("Period", 1, _MANY),
            *_optional("EssentialProperty", "SupplementalProperty"),
        ),
        attributes={
            "id": _anything,
            "profiles": _PROFILES,
            "type": _pattern("static|dynamic"),
            "availabilityStartTime": _DATE_TIME,
            "availabilityEndTime": _DATE_TIME,
            "publishTime": _DATE_TIME,
            "mediaPresentationDuration": _DURATION,
            "minimumUpdatePeriod": _DURATION,
            "minBufferTime": _DURATION,
            "timeShiftBufferDepth": _DURATION,
            "suggestedPresentationDelay": _DURATION,
            "maxSegmentDuration": _DURATION,
            "maxSubsegmentDuration": _DURATION,
        },
        required=frozenset({"profiles", "minBufferTime"}),
    ),
    "Period": Element(
        children=(
            ("BaseURL", 0, _MANY),
            ("SegmentTemplate", 0, 1),
            *_optional("AdaptationSet", "SupplementalProperty"),
        ),
        attributes={"id": _anything, "start": _DURATION, "duration": _DURATION, "bitstreamSwitching": _BOOLEAN},
    ),
    "AdaptationSet": Element(
        children=(
            *_REPRESENTATION_BASE_CHILDREN,
            *_optional("Accessibility", "Role", "BaseURL"),
            ("SegmentTemplate", 0, 1),
            *_optional("Representation"),
        ),
        attributes={
            **_REPRESENTATION_BASE_ATTRIBUTES,
            "id": _UNSIGNED,
            "group": _UNSIGNED,
            "lang": _LANGUAGE,
            "contentType": _CONTENT,
            "par": _RATIO,
            "minBandwidth": _UNSIGNED,
            "maxBandwidth": _UNSIGNED,
            "minWidth": _UNSIGNED,
            "maxWidth": _UNSIGNED,
            "minHeight": _UNSIGNED,
            "maxHeight": _UNSIGNED,
            "minFrameRate": _RATE,
            "maxFrameRate": _RATE,
            "segmentAlignment": _BOOLEAN,
            "subsegmentAlignment": _BOOLEAN,
            "subsegmentStartsWithSAP": _SAP,
            "bitstreamSwitching": _BOOLEAN,
        },
    ),
    "Representation": Element(
        children=(*_REPRESENTATION_BASE_CHILDREN, *_optional("BaseURL"), ("SegmentTemplate", 0, 1)),
        attributes={
            **_REPRESENTATION_BASE_ATTRIBUTES,
            "id": _NO_SPACE,
            "bandwidth": _UNSIGNED,
            "qualityRanking": _UNSIGNED,
            "dependencyId": _anything,
            "associationId": _anything,
            "mediaStreamStructureId": _anything,
        },
        required=frozenset({"id", "bandwidth"}),
    ),
    "SegmentTemplate": Element(
        children=(("SegmentTimeline", 0, 1),),
        attributes={
            "timescale": _UNSIGNED,
            "eptDelta": _integer(None, None),
            "pdDelta": _integer(None, None),
            "presentationTimeOffset": _LONG,
            "presentationDuration": _LONG,
            "timeShiftBufferDepth": _DURATION,
            "indexRange": _pattern("([0-9]*)(-([0-9]*))?"),
            "indexRangeExact": _BOOLEAN,
            "availabilityTimeOffset": _DOUBLE,
            "availabilityTimeComplete": _BOOLEAN,
            "duration": _UNSIGNED,
            "startNumber": _UNSIGNED,
            "endNumber": _UNSIGNED,
            "media": _anything,
            "index": _anything,
            "initialization": _anything,
            "bitstreamSwitching": _anything,
        },
    ),
    "SegmentTimeline": Element(children=_optional("S")),
    "S": Element(
        attributes={"t": _LONG, "n": _LONG, "d": _LONG, "r": _integer(None, None), "k": _LONG},
        required=frozenset({"d"}),
        text=lambda text: not text,  # not even white space: its content type is empty
    ),
    "AudioChannelConfiguration": _DESCRIPTOR,
    "EssentialProperty": _DESCRIPTOR,
    "SupplementalProperty": _DESCRIPTOR,
    "Accessibility": _DESCRIPTOR,
    "Role": _DESCRIPTOR,
    "Label": Element(attributes={"id": _UNSIGNED, "lang": _LANGUAGE}, text=_anything),
    "BaseURL": Element(
        attributes={
            "serviceLocation": _anything,
            "byteRange": _anything,
            "availabilityTimeOffset": _DOUBLE,
            "availabilityTimeComplete": _BOOLEAN,
            "timeShiftBufferDepth": _DURATION,
            "rangeAccess": _BOOLEAN,
        },
        text=_URI,
    ),
}


def schema_findings(root: ET.Element) -> list[str]:
    """What is wrong in an MPD by the schema, a sentence each. Empty if it is valid."""
    if root.tag != f"{NAMESPACE}MPD":
        return [f"The root element is {_name(root)} instead of MPD."]
    findings: list[str] = []
    for each in root.iter():
        findings += _element_findings(each)
    return findings


def _name(element: ET.Element) -> str:
    return element.tag.removeprefix(NAMESPACE)


def _element_findings(element: ET.Element) -> list[str]:
    name = _name(element)
    known = ELEMENTS.get(name)
    if known is None:
        return [f"{name} is not an element of our MPDs."]
    where = name + (f" {element.get('id')}" if element.get("id") else "")
    findings = [f"{where} lacks the attribute {one}." for one in sorted(known.required - set(element.keys()))]
    for attribute, value in element.items():
        check = known.attributes.get(attribute)
        if check is None:
            findings.append(f"{where} may not have the attribute {attribute}.")
        elif not check(value):
            findings.append(f"{where} has {attribute}={value!r}, which is not of the attribute's type.")
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    if not (known.text(text) if known.text else not text.strip()):
        findings.append(f"{where} holds {text.strip()!r}, which is not allowed there.")
    return findings + _order_findings(where, [_name(child) for child in element], known)


def _order_findings(where: str, children: list[str], known: Element) -> list[str]:
    allowed = [name for name, _, _ in known.children]
    findings = [f"{where} may not hold {child}." for child in dict.fromkeys(children) if child not in allowed]
    places = [allowed.index(child) for child in children if child in allowed]
    for before, after in itertools.pairwise(places):
        if after < before:
            findings.append(f"{where}: {allowed[after]} stands behind {allowed[before]}; the schema wants it before.")
            break
    for name, least, most in known.children:
        count = children.count(name)
        if not least <= count <= most:
            findings.append(f"{where} holds {count} {name}; allowed are {least} to {'any' if most == _MANY else most}.")
    return findings
