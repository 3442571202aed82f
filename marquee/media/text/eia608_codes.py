"""The code tables of CEA-608 (also CTA-608 and 47 CFR 15.119): characters, rows, colours. Pure data, read by `eia608`.

A pair of bytes is two basic characters, or a control code whose first byte is 0x10 to 0x1F; bit 3 of that byte chooses the
second channel of the field.
"""

from typing import Final

BASIC: Final = {
    0x27: "\u2019",
    0x2A: "á",
    0x5C: "é",
    0x5E: "í",
    0x5F: "ó",
    0x60: "ú",
    0x7B: "ç",
    0x7C: "÷",
    0x7D: "Ñ",
    0x7E: "ñ",
    0x7F: "█",
}
"""Characters that differ from ASCII. 0x27 is the apostrophe: the neutral quote is an extended character."""

SPECIAL: Final = "®°½¿™¢£♪à èâêîôû"
"""After 0x11, from 0x30. The tenth is the transparent space."""

EXTENDED: Final = {
    0x12: "ÁÉÓÚÜü\u2018¡*'\u2014©℠•\u201c\u201dÀÂÇÈÊËëÎÏïÔÙùÛ«»",
    0x13: "ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤¦ÅåØø┌┐└┘",
}
"""By first byte, from 0x20. Each replaces the basic character before it, which is for decoders without this table."""

ROWS: Final = {
    0x10: (11, 11),
    0x11: (1, 2),
    0x12: (3, 4),
    0x13: (12, 13),
    0x14: (14, 15),
    0x15: (5, 6),
    0x16: (7, 8),
    0x17: (9, 10),
}
"""Row of a preamble address code by its first byte: without and with bit 5 of its second byte."""

COLOURS: Final = ("", "lime", "blue", "cyan", "red", "yellow", "magenta")
"""WebVTT's classes by colour number. White is a player's default; 608's green is CSS's lime."""

COLUMNS: Final = 32
LAST_ROW: Final = 15
