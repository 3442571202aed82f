"""How a program is asked whether it is ready: one GET over loopback, cheap enough to be repeated many times a second."""

import functools
import ssl

import httpx

PROBE_SECONDS = 2.0


@functools.cache
def _no_certificates() -> ssl.SSLContext:
    # Loopback speaks plain HTTP; a client that loads the machine's certificates costs 30 ms of cpu each time.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def loopback_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=PROBE_SECONDS, verify=_no_certificates(), trust_env=False)


async def answers(url: str) -> None:
    """Raises `httpx.HTTPError` unless a GET of this URL succeeds."""
    async with loopback_client() as client:
        (await client.get(url)).raise_for_status()
