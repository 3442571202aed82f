"""Identifiers: a letter for the kind, `_`, and 20 characters of base32hex (`m_0a1b...`).

The 100 bits are 48 bits of milliseconds and 52 random bits. So ids that are made later sort later, because base32hex
keeps the order of the bits in ASCII, and database indexes grow at their right end. An id that is derived from a name is
all hash: the same name gives the same id on every machine, which makes an import repeatable.

`new_..._id` are the only functions of the domain that read the clock and random numbers. An id needs both, and no
caller has another time to give.
"""

import hashlib
import re
import secrets
import time
from typing import Final

ALPHABET: Final = "0123456789abcdefghijklmnopqrstuv"
LENGTH: Final = 20
RANDOM_BITS: Final = 52

_MOVIE_ID: Final = re.compile(r"m_[0-9a-v]{20}")
_UPLOAD_ID: Final = re.compile(r"u_[0-9a-v]{20}")
_ACCOUNT_ID: Final = re.compile(r"a_[0-9a-v]{20}")
_PROFILE_ID: Final = re.compile(r"p_[0-9a-v]{20}")
_SESSION_ID: Final = re.compile(r"s_[0-9a-v]{20}")
_PLAYBACK_ID: Final = re.compile(r"v_[0-9a-v]{20}")


def _encoded(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def _new(kind: str, at_ms: int | None = None) -> str:
    milliseconds = (time.time_ns() // 1_000_000 if at_ms is None else at_ms) & (1 << 48) - 1
    return f"{kind}_{_encoded(milliseconds << RANDOM_BITS | secrets.randbits(RANDOM_BITS))}"


def new_movie_id() -> str:
    """A new title's id."""
    return _new("m")


def new_upload_id() -> str:
    """A new upload's id."""
    return _new("u")


def new_account_id() -> str:
    """A new account's id."""
    return _new("a")


def new_profile_id() -> str:
    """A new profile's id."""
    return _new("p")


def new_session_id() -> str:
    """A new session's id."""
    return _new("s")


def new_playback_id(at_ms: int | None = None) -> str:
    """The id of a playback session that no request has asked for. Those of the API are signed: `marquee.playback_ids`.

    `at_ms`: when it began, in Unix milliseconds, for sessions that are told later; None: now.
    """
    return _new("v", at_ms)


def playback_id_of(at_ms: int, low_bits: int) -> str:
    """The id of a playback session that began then. `low_bits` takes the place of the `RANDOM_BITS` random bits."""
    return f"v_{_encoded((at_ms & (1 << 48) - 1) << RANDOM_BITS | low_bits)}"


def low_bits_of(identifier: str) -> int:
    """The lower `RANDOM_BITS` bits of an id."""
    return int(identifier[2:], 32) & (1 << RANDOM_BITS) - 1


def new_search_id() -> str:
    """A new search's id."""
    return _new("q")


def made_at_ms(identifier: str) -> int:
    """When an id was made, in Unix milliseconds. `identifier` is the answer of a `new_..._id`, not one derived from a name."""
    return int(identifier[2:], 32) >> RANDOM_BITS


def movie_id_of(name: str) -> str:
    """The movie_id that is derived from `name`, an entry of another catalogue: `movie_id_of("catalogue/1234")`."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"m_{_encoded(int.from_bytes(digest) >> 256 - 5 * LENGTH)}"


def is_movie_id(text: str) -> bool:
    """Whether the text has the form of a title's id."""
    return _MOVIE_ID.fullmatch(text) is not None


def is_upload_id(text: str) -> bool:
    """Whether the text has the form of an upload's id."""
    return _UPLOAD_ID.fullmatch(text) is not None


def is_account_id(text: str) -> bool:
    """Whether the text has the form of an account's id."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def is_profile_id(text: str) -> bool:
    """Whether the text has the form of a profile's id."""
    return _PROFILE_ID.fullmatch(text) is not None


def is_session_id(text: str) -> bool:
    """Whether the text has the form of a session's id."""
    return _SESSION_ID.fullmatch(text) is not None


def is_playback_id(text: str) -> bool:
    """Whether the text has the form of a playback session's id."""
    return _PLAYBACK_ID.fullmatch(text) is not None
