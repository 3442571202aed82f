r"""Turns the words of one cue into WebVTT cue text, by the markup rules of the format that they come from. Pure.

SubRip and WebVTT have tags and entities; SubStation has override blocks (`{\i1}`) and no entities; plain text (3GPP timed
text) has neither. Kept: every character but control characters, line breaks, <i>, <b>, <u>, and WebVTT's voices, classes,
languages and ruby. Dropped: other markup, scripts, drawings, karaoke times. The rest is escaped, so that no cue can put
markup into a page. Called by `timed_text`, `substation` and `tx3g`.
"""

import html
import re
from typing import Final

_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_HTML: Final = (
    "a|abbr|audio|big|body|br|button|center|code|div|em|embed|font|form|head|h[1-6]|html|iframe|img|input|li|link|meta|object|ol|p|path|"
    "pre|s|script|small|source|span|strike|strong|style|sub|sup|svg|table|tbody|td|template|th|tr|tt|ul|video"
)
_TAG: Final = re.compile(
    rf"<(/?)(i|b|u|c|v|lang|ruby|rt|{_HTML})(?=[\s.>/])((?:\.[^\s.<>&]++)*+)([^<>]*+)>|<(?:\d+:)?\d+:\d+[.,]\d+>",
    re.IGNORECASE,
)
"""Possessive: without it, a tag of n classes that never ends takes n x n steps."""
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line feed, and halves of characters, which UTF-8 cannot hold."""
_SCRIPTS: Final = re.compile(r"<\s*(script|style)\b.*?(<\s*/\s*\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
MAX_DEPTH: Final = 16
"""How deep tags may stand in each other. The bound keeps a hostile file from growing when crossing tags are mended."""
_SAME: Final = {"em": "i", "strong": "b"}
_KEPT_BY_WEBVTT: Final = frozenset({"c", "v", "lang", "ruby", "rt"})
_STYLES: Final = frozenset("ibu")
LEGACY_ALIGNMENTS: Final = {1: 1, 2: 2, 3: 3, 5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}
r"""The digit of `\an` by SSA's older `\a`."""


class CueWriter:
    """Writes one cue: text is escaped, and tags that cross or never end are closed, as WebVTT requires."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._opened: list[tuple[str, str]] = []

    def text(self, text: str) -> None:
        """Add text that has no markup."""
        self._written.append(html.escape(_CONTROLS.sub("", text), quote=False))

    def open(self, name: str, more: str = "") -> None:
        """Open a tag. `more`: its classes and its annotation. A style that is open already is not opened twice."""
        if len(self._opened) < MAX_DEPTH and (name not in _STYLES or not self.is_open(name)):
            self._opened.append((name, f"<{name}{more}>"))
            self._written.append(f"<{name}{more}>")

    def close(self, name: str) -> None:
        """Close a tag. Tags inside it are closed first and opened again afterwards."""
        at = next((at for at in reversed(range(len(self._opened))) if self._opened[at][0] == name), None)
        if at is None:
            return
        inner = self._opened[at + 1 :]
        self._written += [f"</{one}>" for one, _ in reversed(self._opened[at:])]
        self._written += [tag for _, tag in inner]
        self._opened[at:] = inner

    def is_open(self, name: str) -> bool:
        """Whether this tag is open."""
        return any(name == one for one, _ in self._opened)

    def result(self) -> str:
        """The cue text; empty if it has no visible character. WebVTT ends a cue at an empty line, so there is none in it."""
        whole = "".join(self._written).rstrip("\n") + "".join(f"</{one}>" for one, _ in reversed(self._opened))
        lines = (line for line in whole.split("\n") if line.strip(" \t"))
        text = "\n".join(lines)
        return text if re.sub(r"<[^>]*>", "", text).strip() else ""


def entities_replaced(text: str) -> str:
    """`&nbsp;`, `&#233;` as characters. Only with their semicolon: "AT&T" and "R&copy" stay."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)


def without_scripts(text: str) -> str:
    """The text without <script> and <style> elements and what is in them."""
    return _SCRIPTS.sub("", text)


def tagged(text: str, *, webvtt: bool = False) -> str:
    """Cue text of SubRip, or of WebVTT with its own tags. An unknown tag (`<3`, `<Bob>`) is text."""
    writer = CueWriter()
    pieces = [text] if webvtt else re.split(r"(\{\\[^{}]*\})", text)
    for piece in pieces:
        if piece.startswith("{\\"):
            _override(writer, piece)
            continue
        at = 0
        for found in _TAG.finditer(piece):
            writer.text(entities_replaced(piece[at : found.start()]))
            at = found.end()
            _tag(writer, found, webvtt=webvtt)
        writer.text(entities_replaced(piece[at:]))
    return writer.result()


def _override(writer: CueWriter, block: str) -> None:
    """The styles of a SubStation block, which SubRip files use too."""
    for name, value in re.findall(r"\\([ibu])(\d+)(?!\d)", block):
        if value == "0":
            writer.close(name)
        else:
            writer.open(name)


def _tag(writer: CueWriter, found: re.Match[str], *, webvtt: bool) -> None:
    if found[2] is None:
        return
    name = _SAME.get(found[2].lower(), found[2].lower())
    if name == "br":
        writer.text("\n")
    elif name in _STYLES or (webvtt and name in _KEPT_BY_WEBVTT):
        if found[1]:
            writer.close(name)
            return
        if name == "rt" and not writer.is_open("ruby"):
            return
        classes = found[3] if webvtt else ""
        annotation = " ".join(entities_replaced(found[4]).split()) if webvtt and name in {"v", "lang"} else ""
        writer.open(name, classes + (" " + html.escape(annotation, quote=False) if annotation else ""))


def alignment(text: str) -> str:
    r"""The digit of the first `{\an8}` in a SubRip cue, or that of the older `{\a6}`; empty without one."""
    if found := re.search(r"\{[^{}]*\\an([1-9])", text):
        return found[1]
    legacy = re.search(r"\{[^{}]*\\a(\d{1,2})(?!\d)", text)
    return str(LEGACY_ALIGNMENTS.get(int(legacy[1]), "")) if legacy else ""


def shown_text(written: str) -> str:
    """The characters that a player shows of WebVTT cue text, on one line."""
    return html.unescape(re.sub(r"<[^>]*>", "", written)).replace("\n", " ")
