"""TLS of the gateway: Envoy's transport socket, and the HSTS header on every answer.

Envoy reads the certificate by its secret discovery service from a file, and watches the folder in which `current` is replaced.
"""

import json
from typing import Any, Final
from urllib.parse import urlsplit

from marquee.errors import SettingsInvalid
from marquee.platform.certificates import InstalledTls
from marquee.platform.programs.gateway_problems import redirect_replies
from marquee.platform.state import configuration
from marquee.ports import bracketed
from marquee.settings import Settings

_TLS: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
CIPHERS: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""Of TLS 1.2: forward secrecy only."""


def transport_socket(settings: Settings, tls: InstalledTls | None) -> dict[str, Any] | None:
    """Value of a filter chain's `transport_socket`; None without TLS."""
    if tls is None:
        return None
    secret = {
        "@type": f"{_TLS}.Secret",
        "name": "public",
        "tls_certificate": {
            "certificate_chain": {"filename": str(tls.certificate)},
            "private_key": {"filename": str(tls.key)},
            "watched_directory": {"path": str(tls.folder)},
        },
    }
    path = configuration(settings, "gateway-tls.json", json.dumps({"resources": [secret]}))
    source = {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}
    context = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "cipher_suites": list(CIPHERS)},
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [{"name": "public", "sds_config": source}],
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": f"{_TLS}.DownstreamTlsContext", "common_tls_context": context},
    }


def redirect(settings: Settings, tls: InstalledTls | None) -> dict[str, Any] | None:
    """What the listener of plain HTTP needs; None without MARQUEE_HTTP_REDIRECT_PORT. Raises `SettingsInvalid` without TLS.

    The host is that of the public URL: a stranger could choose the request's. Without a public URL the request's host stays.
    """
    if not settings.http_redirect_port:
        return None
    if tls is None:
        raise SettingsInvalid(
            "MARQUEE_HTTP_REDIRECT_PORT needs a certificate: set MARQUEE_TLS_CERTIFICATE and MARQUEE_TLS_KEY, or let the "
            "proxy that ends TLS redirect.",
            field="MARQUEE_HTTP_REDIRECT_PORT",
        )
    to: dict[str, Any] = {"https_redirect": True, "response_code": "PERMANENT_REDIRECT"}
    public = urlsplit(settings.public_url)
    if public.hostname:
        to["host_redirect"] = bracketed(public.hostname)
    if not public.hostname or public.port:
        to["port_redirect"] = public.port or settings.port("gateway")
    return {"port": settings.http_redirect_port, "to": to, "local_replies": redirect_replies()}


def hsts_headers(tls: InstalledTls | None) -> list[dict[str, Any]]:
    """Envoy's header options that add HSTS; empty without it."""
    if tls is None or not tls.hsts:
        return []
    header = {"key": "strict-transport-security", "value": tls.hsts}
    return [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]


def with_headers(replies: dict[str, Any], headers: list[dict[str, Any]]) -> dict[str, Any]:
    """`local_reply_config` with these headers on each of Envoy's own answers."""
    mappers = [
        {**mapper, "headers_to_add": [*mapper.get("headers_to_add", []), *headers]} for mapper in replies["mappers"]
    ]
    return {**replies, "mappers": mappers}
