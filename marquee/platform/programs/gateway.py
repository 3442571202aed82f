"""Envoy as the gateway: it routes `/api`, `/schema` and `/.well-known` to the API, everything else to the web client.

Each process of the API is an endpoint. Envoy asks for its health and keeps a viewer with one of them; when a process is lost,
it sends the requests that are safe to repeat to another one. It verifies access tokens (`gateway_tokens`), and the API checks
them again. It limits the size of request bodies and the request rates (`gateway_limits`), and does not expose `/metrics`.
Envoy's own errors are problem documents (`gateway_problems`).
"""

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from marquee.domain.client_address import CLIENT_ADDRESS_HEADER, HOPS_HEADER
from marquee.errors import SettingsInvalid
from marquee.platform.certificates import install, renewing
from marquee.platform.programs import binaries, gateway_limits, gateway_tls, gateway_tokens
from marquee.platform.programs.gateway_problems import announced_size_filter, local_replies
from marquee.platform.state import configuration
from marquee.platform.supervisor.probes import answers, loopback_client
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.settings import Settings
from marquee.telemetry_token import TELEMETRY_PATH

MAX_REQUEST_BYTES: Final = 4 * 1024**2
"""Clients send media directly to S3, so the largest request body is a batch of documents."""
MAX_TELEMETRY_BYTES: Final = 64 * 1024
"""Of one report of a player, which needs no login. Browsers send no more with `keepalive`."""
LATE_SECONDS: Final = 1.5
"""After the API's own deadline for a request: a process that has not answered by then hangs. Another one is asked."""

MAX_CONNECTIONS: Final = 12_000
HEAP_BYTES: Final = 1024**3
"""Of Envoy. From a sixteenth of it on, connections that are idle end sooner."""
FIRST_BYTES_SECONDS: Final = 10
"""A client that has connected sends something by then. Browsers open connections that they may need soon; they close unused ones
after as long themselves."""


def gateway(settings: Settings) -> Program:
    """The gateway. It needs one half of the token key. It starts whether or not the API and the web client are ready.

    Raises `SettingsInvalid` for an API or web client URL that Envoy cannot use.
    """
    tls = install(settings, "gateway")
    port, admin_port = settings.port("gateway"), settings.port("gateway_admin")
    token_file = gateway_tokens.write_filter(settings, gateway_tokens.accepted_keys(settings))
    path = configuration(
        settings,
        "gateway.yaml",
        render(
            "envoy/gateway.yaml.jinja",
            admin_port=admin_port,
            bind_host=settings.bind_host,
            port=port,
            token_filter={"name": gateway_tokens.FILTER_NAME, "path": token_file},
            transport_socket=gateway_tls.transport_socket(settings, tls),
            redirect=gateway_tls.redirect(settings, tls),
            hsts_headers=gateway_tls.hsts_headers(tls),
            local_replies=gateway_tls.with_headers(local_replies(MAX_REQUEST_BYTES), gateway_tls.hsts_headers(tls)),
            announced_size_filter=announced_size_filter(MAX_REQUEST_BYTES),
            max_request_bytes=MAX_REQUEST_BYTES,
            telemetry_path=TELEMETRY_PATH,
            telemetry_max_bytes=MAX_TELEMETRY_BYTES,
            max_connections=MAX_CONNECTIONS,
            heap_bytes=HEAP_BYTES,
            first_bytes_seconds=FIRST_BYTES_SECONDS,
            try_seconds=settings.request_deadline_seconds + LATE_SECONDS,
            trusted_hops=settings.trusted_hops,
            client_address_header=CLIENT_ADDRESS_HEADER,
            hops_header=HOPS_HEADER,
            address_filters=gateway_limits.address_filters(settings),
            account_filters=gateway_limits.account_filters(settings),
            limit_clusters=gateway_limits.clusters(settings),
            clusters=(
                ("api", *upstreams(settings.apis, "MARQUEE_API_URL")),
                ("web", *upstreams([settings.web], "MARQUEE_WEB_URL")),
            ),
        ),
    )

    async def ready() -> None:
        # The admin port says that the configuration is loaded; a request to the public port says that it listens.
        await answers(f"http://127.0.0.1:{admin_port}/ready")
        async with loopback_client() as client:
            # Envoy answers this path itself. A request to a part that is down would be tried again for seconds.
            await client.get(f"{settings.public_endpoint('gateway')}/metrics")

    command = (
        str(binaries.envoy()),
        *("-c", str(path), "--disable-hot-restart", "--concurrency", "1"),
        *("--log-level", "warning", "--drain-time-s", "1"),
    )
    return Program(
        name="gateway",
        command=renewing(command, tls, reload=False),
        ready=ready,
        stage=30,
        port=port,
        stop_seconds=5,
    )


def upstreams(urls: Sequence[str], setting: str) -> tuple[str, list[tuple[str, int]]]:
    """(Envoy's discovery type, [(host, port)]) of one cluster. Raises `SettingsInvalid` as `upstream` does."""
    found = [upstream(url, setting) for url in urls]
    named = any(discovery == "STRICT_DNS" for _, _, discovery in found)
    return "STRICT_DNS" if named else "STATIC", [(host, port) for host, port, _ in found]


def upstream(url: str, setting: str) -> tuple[str, int, str]:
    """(host, port, Envoy's discovery type) of a URL: STATIC for an address; STRICT_DNS for a name, which Envoy resolves again.

    Raises `SettingsInvalid` for a URL that is not http://host:port.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise SettingsInvalid(f"{setting} cannot be used: it must be http://host:port.", field=setting)
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts.hostname, parts.port or 80, "STRICT_DNS"
    return parts.hostname, parts.port or 80, "STATIC"
