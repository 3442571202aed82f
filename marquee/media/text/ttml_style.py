"""The styles and regions of a TTML document, as far as WebVTT can say them. Pure; `ttml` asks here.

A style may refer to many others, and so may they. Each named style and each region is therefore worked out once: a hostile file
of a few hundred bytes would else take years.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Final

_ID: Final = "{http://www.w3.org/XML/1998/namespace}id"
_INHERITED: Final = ("fontStyle", "fontWeight", "textDecoration", "textAlign", "visibility", "display", "region")
_OF_REGION: Final = ("origin", "extent", "displayAlign")
_MAX_REFERENCES: Final = 8
_MAX_VALUE_CHARACTERS: Final = 200
"""Of an attribute. Every paragraph inherits the values around it and reads them again."""
_BOTTOM_PERCENT: Final = 70.0
"""Text that ends below this is at the bottom, where players put it by themselves."""


def local_name(element: ET.Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def own(element: ET.Element, name: str) -> str | None:
    """An attribute by its name in any namespace."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)


class Styles:
    """The named styles and regions of a document."""

    def __init__(self, root: ET.Element) -> None:
        self._named = {one.get(_ID, ""): one for one in root.iter() if local_name(one) == "style" and one.get(_ID)}
        self._known: dict[tuple[str, int], dict[str, str]] = {}
        self._regions = {
            one.get(_ID, ""): self._region(one) for one in root.iter() if local_name(one) == "region" and one.get(_ID)
        }

    def _stated(self, element: ET.Element, depth: int = 0) -> dict[str, str]:
        """What an element states, by reference first: its own attributes win."""
        found: dict[str, str] = {}
        if depth < _MAX_REFERENCES:
            for name in (own(element, "style") or "").split():
                if name in self._named:
                    found |= self._stated_by(name, depth + 1)
        for name in (*_INHERITED, *_OF_REGION):
            if (value := own(element, name)) is not None:
                found[name] = value.strip()[:_MAX_VALUE_CHARACTERS]
        return found

    def _stated_by(self, name: str, depth: int) -> dict[str, str]:
        """What a named style states."""
        if (name, depth) not in self._known:
            self._known[name, depth] = self._stated(self._named[name], depth)
        return self._known[name, depth]

    def of(self, element: ET.Element, above: Mapping[str, str]) -> dict[str, str]:
        """The styles of an element inside an element with the styles `above`."""
        return {**above, **self._stated(element)}

    def tags(self, styles: Mapping[str, str]) -> frozenset[str]:
        """WebVTT's tags for these styles."""
        found = {
            "i": styles.get("fontStyle") in {"italic", "oblique"},
            "b": styles.get("fontWeight") == "bold",
            "u": "underline" in styles.get("textDecoration", "").split(),
        }
        return frozenset(name for name, on in found.items() if on)

    def settings(self, styles: Mapping[str, str]) -> str:
        """WebVTT's place. Empty at the bottom and in the middle, where players put text by themselves."""
        region = self._regions.get(styles.get("region", ""), {})
        placed = {**region, **{key: styles[key] for key in _OF_REGION if key in styles}}
        if "textAlign" in styles:
            placed["textAlign"] = styles["textAlign"]
        found = []
        origin, extent = _percents(placed.get("origin")), _percents(placed.get("extent"))
        if origin is not None:
            height = extent[1] if extent is not None else max(0.0, 100.0 - origin[1])
            share = {"after": 1.0, "center": 0.5}.get(placed.get("displayAlign", "before"), 0.0)
            at = origin[1] + share * min(height, 100.0 - origin[1])
            if at < _BOTTOM_PERCENT:
                found.append(f"line:{at:g}%" + ("" if share == 0 else ",end" if share == 1 else ",center"))
        align = placed.get("textAlign", "center")
        if align in {"left", "right", "start", "end"}:
            found.append(f"align:{align}")
        return " ".join(found)

    def _region(self, region: ET.Element) -> dict[str, str]:
        """A region's styles: by reference, of its `style` children, its own."""
        found: dict[str, str] = {}
        for child in region:
            if local_name(child) == "style":
                found |= self._stated(child)
        return {**found, **self._stated(region)}


def _percents(text: str | None) -> tuple[float, float] | None:
    """`10% 80%`, also `0px 10%`; None for other units."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(%|px)\s+(\d+(?:\.\d+)?)%", text or "")
    if found is None:
        return None
    return (float(found[1]) if found[2] == "%" else 0.0, min(100.0, float(found[3])))
