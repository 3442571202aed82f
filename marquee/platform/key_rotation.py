"""`marquee keys rotate`: a new key for access tokens while the platform runs. Nobody is logged out, no request is refused.

The order matters. First the gateway accepts the new public key, which a token of that key proves. Then one rename of
`marquee.env` makes the new key sign and keeps the old public half until no token of the old key can be alive. Every process
of the API looks at that file before it issues a token, and before it verifies one that it does not know (`api/auth/keys.py`).

A kill between the two steps leaves the old key, and a gateway that also accepts one that nobody has. If a process of the API
does not take the new key, the old one signs again, and the new public half stays accepted for the tokens made meanwhile.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import jwt

from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.programs.gateway_tokens import FILTER_FILE, accepted_keys, write_filter
from marquee.platform.state import start_stop_lock, stored_secrets, write_privately
from marquee.platform.supervisor.probes import loopback_client
from marquee.settings import ENVIRONMENT_FILE, Settings
from marquee.token_keys import (
    OTHER_KEYS_VARIABLE,
    TOKEN_ALGORITHM,
    TOKEN_ISSUER,
    generate_private_key,
    other_public_keys,
    private_key,
    public_jwks,
    public_key,
    with_end,
)

PRIVATE_VARIABLE: Final = "MARQUEE_TOKEN_PRIVATE_KEY"
MAX_KEYS: Final = 5
"""Keys that are accepted at once. A rotation beyond waits until an old one has ended."""
MARGIN_SECONDS: Final = 60
"""A token's life, and this for clocks that differ: so long an old key is accepted."""
WAIT_SECONDS: Final = 15.0
"""Bound of each of the two waits, for the gateway and for the API."""
PAUSE_SECONDS: Final = 0.1
"""Between two questions of a wait."""
ACCEPTED_IN_A_ROW: Final = 5
"""Each of the gateway's threads gets the new key by itself; a new connection may meet any of them."""
_PROBE_PATH: Final = "/api/v1/no-such-address"


@dataclass(frozen=True)
class Rotation:
    """The ids of the two keys, and until when the old one is accepted, in Unix seconds."""

    old: str
    new: str
    old_until: float


async def rotate(settings: Settings) -> Rotation:
    """Make a new key, and let it sign. Works on a stopped platform too.

    Raises `SettingsInvalid` where this state folder does not own the keys, `PlatformUnavailable` where the gateway or the API
    does not take the new key, while another command starts or stops the platform, and with `MAX_KEYS` keys.
    """
    with start_stop_lock(settings):
        _check_ownership(settings)
        return await _rotate(settings)


async def _rotate(settings: Settings) -> Rotation:
    old, new = settings.token_private_key.get_secret_value(), generate_private_key()
    now = time.time()
    others = {
        public: until
        for public, until in other_public_keys(settings.token_other_public_keys.get_secret_value())
        if until is None or until > now
    }
    if len(others) + 2 > MAX_KEYS:
        first = min(until for until in (*others.values(), now + settings.access_token_seconds) if until is not None)
        raise PlatformUnavailable(
            f"{len(others) + 1} keys are accepted already: wait {first - now:.0f} s, until the oldest has ended."
        )
    old_until = now + settings.access_token_seconds + MARGIN_SECONDS
    write_filter(settings, [*accepted_keys(settings), public_key(new)])
    await _until_gateway_accepts(settings, new)
    _store(settings, new, {**others, public_key(old): old_until})
    if not await _api_signs_with(settings, new):
        _store(settings, old, {**others, public_key(new): old_until})
        raise PlatformUnavailable(
            f"A process of the API did not take the new key within {WAIT_SECONDS:.0f} s, so the old key signs again: "
            f"look whether its environment has {PRIVATE_VARIABLE}, which counts more than {ENVIRONMENT_FILE}."
        )
    return Rotation(key_id(old), key_id(new), old_until)


def key_id(private: str) -> str:
    """The id of a private key's public half in the JWKS."""
    return public_jwks(public_key(private))["keys"][0]["kid"]


def _check_ownership(settings: Settings) -> None:
    stored = stored_secrets(settings)
    given = {
        PRIVATE_VARIABLE: settings.token_private_key.get_secret_value() != stored.get(PRIVATE_VARIABLE),
        OTHER_KEYS_VARIABLE: settings.token_other_public_keys.get_secret_value() != stored.get(OTHER_KEYS_VARIABLE, ""),
        "MARQUEE_TOKEN_PUBLIC_KEY": bool(settings.token_public_key),
    }
    elsewhere = [variable for variable, is_given in given.items() if is_given]
    if not (settings.state / "config" / FILTER_FILE).is_file():
        raise SettingsInvalid(
            f"The gateway has never run with the state folder {settings.state}: start the platform first, or rotate the "
            "keys of several hosts as docs/operating/keys.md says.",
            field="MARQUEE_STATE",
        )
    if elsewhere:
        raise SettingsInvalid(
            f"{' and '.join(elsewhere)} {'is' if len(elsewhere) == 1 else 'are'} given otherwise than by the platform's "
            f"own {ENVIRONMENT_FILE}: rotate the keys as docs/operating/keys.md says for several hosts.",
            field=elsewhere[0],
        )


def _store(settings: Settings, private: str, others: dict[str, float | None]) -> None:
    """Replace both settings in `marquee.env` by one rename. Every other line stays as it is."""
    path = settings.state / ENVIRONMENT_FILE
    entries = [public if until is None else with_end(public, until) for public, until in others.items()]
    text = _with_lines(path, {PRIVATE_VARIABLE: private, OTHER_KEYS_VARIABLE: ",".join(entries)})
    write_privately(path, text)


def _with_lines(path: Path, values: dict[str, str]) -> str:
    pattern = re.compile(rf"\s*(?:export\s+)?(?:{'|'.join(values)})\s*=", re.IGNORECASE)
    kept = [line for line in path.read_text().splitlines() if not pattern.match(line)]
    return "\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n"


async def _until_gateway_accepts(settings: Settings, private: str) -> None:
    """Return once the gateway takes tokens of this key, at once if it does not run. Raises `PlatformUnavailable`."""
    claims = {"iss": TOKEN_ISSUER, "sub": "key rotation", "exp": int(time.time()) + 60}
    token = jwt.encode(claims, private_key(private), algorithm=TOKEN_ALGORITHM, headers={"kid": key_id(private)})
    url = f"{settings.public_endpoint('gateway')}{_PROBE_PATH}"
    accepted = 0
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while accepted < ACCEPTED_IN_A_ROW:
                try:
                    async with loopback_client() as client:
                        answer = await client.get(url, headers={"Authorization": f"Bearer {token}"})
                except httpx.ConnectError:
                    return  # It reads the new file when it starts.
                except httpx.HTTPError:
                    accepted = 0
                else:
                    # The API says 404. 401 is the gateway's; 429 is, too, and says nothing of the token.
                    accepted = 0 if answer.status_code in (401, 429) else accepted + 1
                if not accepted:
                    await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError as error:
        raise PlatformUnavailable(
            f"The gateway did not take the new key within {WAIT_SECONDS:.0f} s, so the old one stays: see its log."
        ) from error


async def _api_signs_with(settings: Settings, private: str) -> bool:
    """Whether every process of the API that answers names this key first in its JWKS, within `WAIT_SECONDS`."""
    deadline = time.monotonic() + WAIT_SECONDS
    for url in settings.apis:
        while True:
            try:
                async with loopback_client() as client:
                    keys = (await client.get(f"{url}/.well-known/jwks.json")).json()["keys"]
                if keys[0]["kid"] == key_id(private):
                    break
            except httpx.ConnectError:
                break  # It reads the new key when it starts.
            except (httpx.HTTPError, ValueError, KeyError):
                pass
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(PAUSE_SECONDS)
    return True
