"""Identifiers: a letter for the kind, `_`, and 20 characters of base32hex (`m_0a1b...`).

The 100 bits are 48 bits of milliseconds and 52 random ones, so that ids made later sort later (base32hex keeps the
order of the bits in ASCII) and indexes grow at their right end. An id derived from a name is all hash: the same name
gives the same id on every machine, which makes an import repeatable.

`new_..._id` are the only functions of the domain that read the clock and random numbers: every caller wants an id of now.
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


def _encoded(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def _new(kind: str) -> str:
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    return f"{kind}_{_encoded(milliseconds << RANDOM_BITS | secrets.randbits(RANDOM_BITS))}"


def new_movie_id() -> str:
    return _new("m")


def new_upload_id() -> str:
    return _new("u")


def new_account_id() -> str:
    return _new("a")


def new_profile_id() -> str:
    return _new("p")


def movie_id_of(name: str) -> str:
    """The movie_id that a foreign catalogue's entry always gets, such as `movie_id_of("catalogue/1234")`."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"m_{_encoded(int.from_bytes(digest) >> 256 - 5 * LENGTH)}"


def is_movie_id(text: str) -> bool:
    return _MOVIE_ID.fullmatch(text) is not None


def is_upload_id(text: str) -> bool:
    return _UPLOAD_ID.fullmatch(text) is not None


def is_account_id(text: str) -> bool:
    return _ACCOUNT_ID.fullmatch(text) is not None


def is_profile_id(text: str) -> bool:
    return _PROFILE_ID.fullmatch(text) is not None
