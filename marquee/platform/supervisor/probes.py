"""The readiness probe over HTTP: one GET over loopback, cheap enough to repeat many times a second."""

import functools
import ssl

import httpx

PROBE_SECONDS = 2.0


@functools.cache
def _no_certificates() -> ssl.SSLContext:
    # The probe asks this machine's own listener by its address, which the public certificate need not name. Loading the machine's
    # certificates would cost each client 30 ms of cpu.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def loopback_client() -> httpx.AsyncClient:
    """An HTTP client for this machine's programs: no proxy, certificates are not checked, time-out PROBE_SECONDS."""
    return httpx.AsyncClient(timeout=PROBE_SECONDS, verify=_no_certificates(), trust_env=False)


async def answers(url: str) -> None:
    """Raise `httpx.HTTPError` unless a GET of this URL succeeds."""
    async with loopback_client() as client:
        (await client.get(url)).raise_for_status()
