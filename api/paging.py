"""Cursors: the only module that signs, reads and refuses them. Clients must not look inside.

A cursor is the position where the next page begins. It is signed (itsdangerous) under its kind of page: `home`,
`search`, `row:genre-drama`, `history:{profile_id}`. So a cursor of another page is refused, not misread. A position is
any JSON value; each service decides its form.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from marquee.errors import CursorInvalid

Position = TypeVar("Position")
Item = TypeVar("Item")


class Cursors:
    """Signs and reads cursors with one secret, the setting `cursor_secret`."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, kind: str, position: object) -> str:
        """The cursor for `position`, any JSON value: where the next page begins."""
        return self._serializer(kind).dumps(position)

    def read(self, kind: str, cursor: str | None, form: type[Position]) -> Position | None:
        """The position that `sign` was given for this kind. None without a cursor: the first page.

        Raises `CursorInvalid` if `sign` did not make the cursor for this kind, or if its position is not a `form`.
        """
        if not cursor:
            return None
        try:
            signed: Any = self._serializer(kind).loads(cursor)
        except BadData as error:
            raise cursor_refusal("was not issued by this page") from error
        try:
            return msgspec.convert(signed, form)
        except msgspec.ValidationError as error:
            raise cursor_refusal("has an older format") from error

    def _serializer(self, kind: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"cursor:{kind}")


def cursor_refusal(reason: str) -> CursorInvalid:
    """The error for every cursor that cannot be used. `reason` completes the sentence "cursor ..."."""
    return CursorInvalid(f"cursor {reason}: ask for the first page again.", field="cursor")


def split_page(found: Sequence[Item], limit: int) -> tuple[Sequence[Item], bool]:
    """The page, and whether another page follows. `found` was read with the limit `limit + 1`."""
    return found[:limit], len(found) > limit
