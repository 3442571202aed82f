"""nginx's programs: two CDN edges in front of the published bucket, and one server for the web client's files.

An edge verifies the signed path (`marquee.cdn.signed_paths.stream_path`), caches under the path below the token, and adds the
header `X-Cache`. It reads the bucket with a login of its own that may only read objects; `origin.js` signs each request. The
cache is limited in bytes (`edge_cache_bytes`) and in time: an edge may serve a deleted title for `edge_ttl_seconds` more.
"""

import json
import os
from urllib.parse import urlsplit

from pydantic import SecretStr

from marquee.cdn.edge_log.files import edge_log_folder
from marquee.errors import SettingsInvalid
from marquee.http_problems import BY_STATUS, EDGE_REASONS, RETRY_AFTER_SECONDS, HttpProblem, web_client_missing
from marquee.platform.certificates import InstalledTls, install, renewing
from marquee.platform.programs import binaries
from marquee.platform.project import TEMPLATES, WEB_CLIENT, how_to_get_web_client
from marquee.platform.state import configuration
from marquee.platform.supervisor.probes import answers
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.ports import bracketed
from marquee.settings import Settings
from marquee.stores.objects.origin import origin

MIN_FREE_BYTES = 512 * 1024**2
"""An edge removes cache entries when its disk has less free space than this."""


def edge(settings: Settings, number: int) -> Program:
    """Edge number 1 or 2. Both serve the same files: when one is lost, its viewers change to the other."""
    name = f"edge-{number}"
    port, status_port = settings.port(f"edge_{number}"), settings.port(f"edge_{number}_status")
    source = origin(settings.published, setting="MARQUEE_PUBLISHED_URL")
    folder = settings.state / name
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    tls = install(settings, name)
    login = {
        "accessKey": _login(settings, "s3_edge_access_key"),
        "secretKey": _login(settings, "s3_edge_secret_key"),
        "region": source.region,
        "host": source.host,
        "path": source.path,
    }
    text = render(
        "nginx/edge.conf.jinja",
        as_root=os.geteuid() == 0,
        folder=folder,
        types=TEMPLATES / "nginx" / "mime.types",
        ttl_seconds=settings.edge_ttl_seconds,
        cache_bytes=settings.edge_cache_bytes,
        min_free_bytes=MIN_FREE_BYTES,
        listen=f"{bracketed(settings.bind_host)}:{port}",
        tls=tls,
        status_port=status_port,
        header_seconds=settings.client_header_seconds,
        idle_seconds=settings.client_idle_seconds,
        connections=settings.edge_connections,
        connections_per_address=settings.edge_connections_per_address,
        secret=settings.edge_secret.get_secret_value(),
        origin=source,
        origin_script=TEMPLATES / "nginx" / "origin.js",
        origin_login=configuration(settings, f"{name}-origin.json", json.dumps(login)),
        **_edge_log(settings, name),
        **nginx_problems(*EDGE_REASONS),
    )
    question = f"http://127.0.0.1:{status_port}/healthz"
    return nginx(settings, name, text, question=question, port=port, stage=20, tls=tls)


def _edge_log(settings: Settings, name: str) -> dict[str, object]:
    """Values for `edge_log.conf.jinja`. An edge without a log has no folder."""
    if not settings.edge_log_share:
        return {"edge_log_folder": None}
    folder = edge_log_folder(settings, name)
    folder.mkdir(parents=True, exist_ok=True)
    bounds = {"folder": str(folder), "maxBytes": settings.edge_log_bytes}
    return {
        "edge_log_folder": folder,
        "edge_log_script": TEMPLATES / "nginx" / "edge_log.js",
        "edge_log_bounds": configuration(settings, f"{name}-log.json", json.dumps(bounds)),
    }


def nginx_problems(*reasons: HttpProblem) -> dict[str, object]:
    """Values for `problems.conf.jinja`: a document for each status, and for each of `reasons`."""
    return {
        "problems": BY_STATUS,
        "named_problems": [*BY_STATUS.items(), *((one.code, one) for one in reasons)],
        "retry_after_seconds": RETRY_AFTER_SECONDS,
    }


def _login(settings: Settings, name: str) -> str:
    """One of the login's two keys. Raises `SettingsInvalid` if it is missing: S3 refuses requests without a login."""
    secret: SecretStr = getattr(settings, name)
    if not secret.get_secret_value():
        variable = f"MARQUEE_{name.upper()}"
        raise SettingsInvalid(
            f"{variable} is not set, and edges need it to read the published bucket: set it to the key of a login that may "
            "read the bucket's objects and nothing else.",
            field=variable,
        )
    return secret.get_secret_value()


def web(settings: Settings) -> Program:
    """Server of the web client's built files. Clients reach it through the gateway only."""
    folder = settings.state / "web"
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    port = settings.port("web")
    text = render(
        "nginx/web.conf.jinja",
        as_root=os.geteuid() == 0,
        folder=folder,
        types=TEMPLATES / "nginx" / "mime.types",
        listen=f"{bracketed(settings.inner_host)}:{port}",
        root=WEB_CLIENT,
        content_security_policy=content_security_policy(settings),
        preconnect=", ".join(f"<{origin}>; rel=preconnect" for origin in dict.fromkeys(settings.edges)),
        **nginx_problems(web_client_missing(how_to_get_web_client())),
    )
    return nginx(settings, "web", text, question=f"{settings.inner('web')}/healthz", port=port, stage=20)


def content_security_policy(settings: Settings) -> str:
    """Content-Security-Policy of the web client's pages: its own files, the edges, and uploads to S3 are permitted."""
    edges = " ".join(sorted(_origins(*settings.edges)))
    uploads = " ".join(sorted(_origins(settings.public_s3)))
    return "; ".join(
        (
            "default-src 'none'",
            f"connect-src 'self' {edges} {uploads}",
            f"img-src 'self' {edges}",
            # The player hands its Media Source to the video element as a blob.
            f"media-src 'self' blob: {edges}",
            "worker-src 'self'",
            "style-src 'self'",
            "script-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _origins(*urls: str) -> set[str]:
    """Origins of these URLs. A loopback URL gives two, 127.0.0.1 and localhost: browsers treat them as different origins."""
    found = set()
    for url in urls:
        parts = urlsplit(url)
        found.add(f"{parts.scheme}://{parts.netloc}")
        if parts.hostname in ("127.0.0.1", "localhost") and parts.port:
            found |= {f"{parts.scheme}://{host}:{parts.port}" for host in ("127.0.0.1", "localhost")}
    return found


def browser_origins(settings: Settings) -> list[str]:
    """Origins of the web client's pages. S3's CORS rules let these PUT upload parts."""
    return sorted(_origins(settings.public))


def nginx(
    settings: Settings, name: str, text: str, *, question: str, port: int, stage: int, tls: InstalledTls | None = None
) -> Program:
    """An nginx with this configuration. With `tls` it takes renewed certificates by itself."""
    path = configuration(settings, f"{name}.conf", text)

    async def ready() -> None:
        await answers(question)

    return Program(
        name=name,
        command=renewing(
            (str(binaries.nginx()), "-p", str(settings.state / name), "-e", "stderr", "-c", str(path)), tls
        ),
        ready=ready,
        stage=stage,
        port=port,
        stop_seconds=5,
    )
