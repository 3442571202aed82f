"""Reports as CSV (RFC 4180, UTF-8). No cell is a formula: a spreadsheet that opens the file runs nothing.

Titles and queries are other people's words. A text that begins like a formula gets an apostrophe in front, as OWASP
advises (CSV injection). Numbers stay numbers, also negative ones.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_FORMULA_BEGINS: Final = (*"=+-@\t\r\n", *"\uff1d\uff0b\uff0d\uff20")
"""The last four are the first four in full width."""


def csv_of(item: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> bytes:
    """A head line with the fields of `item`, then the rows. A field without a value is an empty cell."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    names = [field.name for field in msgspec.structs.fields(item)]
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return file.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if isinstance(value, str) and (value.startswith(_FORMULA_BEGINS) or value.lstrip().startswith(_FORMULA_BEGINS)):
        return f"'{value}"
    return value
