"""The public S3 endpoint: nginx (`s3-proxy`), then `s3-pace`, then SeaweedFS, which listens on an inner port.

nginx bounds connections by client address and in total, headers and idle time, and lets only requests with a whole presigned
query through. `jobs.s3_pace` ends a part that arrives slower than `upload_min_bytes_per_second`, which nginx cannot. Neither
stores a part. The address, Host and query reach SeaweedFS unchanged, because the URL's signature covers them.
"""

import asyncio
import os
from urllib.parse import urlsplit

from marquee.domain.parts import MAX_PARTS
from marquee.http_problems import S3_REASONS
from marquee.platform.certificates import install
from marquee.platform.programs.applications import module_program
from marquee.platform.programs.edges import nginx, nginx_problems
from marquee.platform.project import TEMPLATES
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.ports import bracketed, local_address
from marquee.settings import Settings


def s3_pace(settings: Settings) -> Program:
    """Forwards each request to S3 at the pace of the client, and ends it when it is too slow (`jobs.s3_pace`)."""

    async def ready() -> None:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(local_address(settings.inner_host), settings.port("s3_pace"))
            writer.close()

    return module_program(settings, "s3-pace", "s3_pace", ready=ready, after=())


def s3_proxy(settings: Settings) -> Program:
    """The public listener."""
    name = "s3-proxy"
    folder = settings.state / name
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    tls = install(settings, name)
    upstream = urlsplit(settings.s3_pace)
    text = render(
        "nginx/s3.conf.jinja",
        as_root=os.geteuid() == 0,
        folder=folder,
        listen=f"{bracketed(settings.bind_host)}:{settings.port('s3')}",
        tls=tls,
        requests_port=settings.port("s3_requests"),
        connections=settings.s3_connections,
        connections_per_address=settings.s3_connections_per_address,
        header_seconds=settings.client_header_seconds,
        idle_seconds=settings.client_idle_seconds,
        answer_seconds=settings.s3_answer_seconds,
        max_body_bytes=max_part_bytes(settings),
        script=TEMPLATES / "nginx" / "presigned.js",
        **nginx_problems(*S3_REASONS),
        upstream=upstream.netloc,
    )
    question = f"{settings.public_endpoint('s3')}/healthz"
    return nginx(settings, name, text, question=question, port=settings.port("s3"), stage=20, tls=tls)


def max_part_bytes(settings: Settings) -> int:
    """The largest part that an upload may have. The parts of the largest files are larger than `upload_part_bytes`."""
    return max(settings.upload_part_bytes, settings.upload_max_bytes // MAX_PARTS + 1024**2)
