"""Cursors: signed, read and refused here alone; opaque to clients.

A cursor is a position on one kind of page (`home`, `search`, `row:genre-drama`, `history:{profile_id}`), signed with
itsdangerous under that kind, so that a cursor of another page is refused, not misread. A position is any JSON value; the
service that pages says which form it has.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from marquee.errors import CursorInvalid

Position = TypeVar("Position")
Item = TypeVar("Item")


class Cursors:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, kind: str, position: object) -> str:
        """`position` is any JSON value: where the next page begins."""
        return self._serializer(kind).dumps(position)

    def read(self, kind: str, cursor: str | None, form: type[Position]) -> Position | None:
        """The position that `sign` was given for this kind; None without a cursor (the first page).

        Raises `CursorInvalid` for a cursor that `sign` did not make for this kind, or whose position is not a `form`.
        """
        if not cursor:
            return None
        try:
            signed: Any = self._serializer(kind).loads(cursor)
        except BadData as error:
            raise refusal("was not issued by this page") from error
        try:
            return msgspec.convert(signed, form)
        except msgspec.ValidationError as error:
            raise refusal("is of an older form") from error

    def _serializer(self, kind: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"cursor:{kind}")


def refusal(reason: str) -> CursorInvalid:
    """The one error for a cursor that cannot be used; `reason` goes on from "cursor ..."."""
    return CursorInvalid(f"cursor {reason}: ask for the first page again.", field="cursor")


def cut(found: Sequence[Item], limit: int) -> tuple[Sequence[Item], bool]:
    """The page, and whether another one follows, of items asked for with one more than the page holds."""
    return found[:limit], len(found) > limit
