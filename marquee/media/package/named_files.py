"""Finds out which files a manifest names, and whether each is stored and below the title's prefix. Pure; `verify` calls it."""

import math
import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

from marquee.media.package.dash_schema import NAMESPACE, schema_findings


def leaves_prefix(uri: str) -> bool:
    """Whether a URI is absolute, or climbs above the folder of the file that names it."""
    parts = urlsplit(uri)
    return bool(parts.scheme or parts.netloc) or uri.startswith("/") or posixpath.normpath(uri).startswith("..")


def resolved(base: str, uri: str) -> str:
    """The path, relative to the title's prefix, of the `uri` that the file `base` names."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(uri)))


def mpd_findings(name: str, text: str, sizes: Mapping[str, int]) -> list[str]:
    """What is wrong in the MPD `name`: by the schema, and in the files that it names. `sizes`: of all stored files, by path."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - written by `dash`
    except ET.ParseError:
        return [f"{name} is missing or is not XML."]
    findings = [f"{name}: {one}" for one in schema_findings(root)]
    for representation in root.iter(f"{NAMESPACE}Representation"):
        representation_id = representation.get("id")
        template = representation.find(f"{NAMESPACE}SegmentTemplate")
        base = representation.findtext(f"{NAMESPACE}BaseURL")
        uris: Sequence[str] = [base] if base else []
        if template is not None:
            count = sum(int(one.get("r", "0")) + 1 for one in template.iter(f"{NAMESPACE}S"))
            if "duration" in template.attrib:  # thumbnails: sheets of equal length, as many as the film needs
                each = int(template.attrib["duration"]) / int(template.get("timescale", "1"))
                count = math.ceil(float(root.get("mediaPresentationDuration", "PT0S")[2:-1]) / each - 1e-6)
            media = template.get("media", "")
            uris = [
                *([template.attrib["initialization"]] if "initialization" in template.attrib else []),
                *(media.replace("$Number%05d$", f"{n:05d}") for n in range(1, count + 1)),
            ]
        if not uris:
            findings.append(f"{name}: {representation_id} names no media.")
        for uri in uris:
            if leaves_prefix(uri):
                findings.append(f"{name}: {representation_id} names {uri}, which is not relative to it.")
            elif uri not in sizes:
                findings.append(f"{name}: {representation_id} names {uri}, which is not stored.")
    return findings
