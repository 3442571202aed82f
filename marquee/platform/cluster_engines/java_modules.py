"""Reads the required modules of a jar's `module-info.class`, and removes some of them.

A Java that lacks a module refuses every jar that requires it, even if no class of the jar uses it, and no command line option
changes that. `elasticsearch` therefore removes such requirements from one jar. Format: Java Virtual Machine Specification, 4.1
(class), 4.4 (constants) and 4.7.25 (the attribute Module: the module's name, flags and version, then the requirements, six
bytes each).
"""

import struct
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

DESCRIPTOR: Final = "module-info.class"
_CONSTANT_BYTES: Final = {
    **dict.fromkeys((7, 8, 16, 19, 20), 3),
    **dict.fromkeys((3, 4, 9, 10, 11, 12, 17, 18), 5),
    15: 4,
}
"""Tag of a constant -> its size in bytes. A text (tag 1) stores its size; a long or double (5, 6) never occurs here."""
_TEXT, _MODULE = 1, 19


def requirements(descriptor: bytes) -> list[str]:
    """Names of the modules that a descriptor requires, in file order. `descriptor`: content of a module-info.class."""
    names, attributes_at = _constants(descriptor)
    start, count = _requirements_at(descriptor, names, attributes_at)
    return [names[_number(descriptor, start + 6 * place)] for place in range(count)]


def without(descriptor: bytes, modules: Collection[str]) -> bytes:
    """The same descriptor without the requirements of these modules."""
    names, attributes_at = _constants(descriptor)
    start, count = _requirements_at(descriptor, names, attributes_at)
    listed = [descriptor[start + 6 * place : start + 6 * place + 6] for place in range(count)]
    kept = [each for each in listed if names[_number(each, 0)] not in modules]
    size_at = start - 12
    size = int.from_bytes(descriptor[size_at : size_at + 4]) - 6 * (count - len(kept))
    head = descriptor[:size_at] + struct.pack(">I", size) + descriptor[size_at + 4 : start - 2]
    return head + struct.pack(">H", len(kept)) + b"".join(kept) + descriptor[start + 6 * count :]


def leave_out(jar: Path, modules: Collection[str]) -> None:
    """Remove the requirements of these modules from a jar. The new jar is written to another file and then replaces it."""
    making = jar.with_suffix(".making")
    with zipfile.ZipFile(jar) as old, zipfile.ZipFile(making, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member, without(content, modules) if member.filename == DESCRIPTOR else content)
    making.chmod(jar.stat().st_mode)
    making.replace(jar)


def _constants(descriptor: bytes) -> tuple[dict[int, str], int]:
    """(number of a text or module constant -> its text, offset of the attributes)."""
    names: dict[int, str] = {}
    named: dict[int, int] = {}
    at = 10
    for number in range(1, _number(descriptor, 8)):
        tag = descriptor[at]
        if tag == _TEXT:
            size = _number(descriptor, at + 1)
            names[number] = descriptor[at + 3 : at + 3 + size].decode()
            at += 3 + size
            continue
        if tag == _MODULE:
            named[number] = _number(descriptor, at + 1)
        at += _CONSTANT_BYTES[tag]
    # 12 bytes: flags, own class, super class, then the counts of interfaces, fields and methods (all 0), two bytes each.
    return names | {number: names[text] for number, text in named.items()}, at + 12


def _requirements_at(descriptor: bytes, names: dict[int, str], attributes_at: int) -> tuple[int, int]:
    """(offset of the first requirement, number of requirements). Raises `ValueError` for a class that is no descriptor."""
    at = attributes_at + 2
    for _ in range(_number(descriptor, attributes_at)):
        name, size = struct.unpack_from(">HI", descriptor, at)
        if names[name] == "Module":
            return at + 14, _number(descriptor, at + 12)
        at += 6 + size
    raise ValueError("this class is no module's descriptor")


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2])
