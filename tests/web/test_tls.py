"""The whole way over TLS with a private authority: Chromium logs in, plays from an edge, and resumes."""

import asyncio
from pathlib import Path

import pytest

from marquee.demo.browser import watch_and_resume
from marquee.demo.report import CheckSkipped
from marquee.platform.project import WEB_CLIENT
from marquee.platform.supervisor.supervision import start, stop
from marquee.stores.opened import open_stores
from tests.harness.authority import Authority
from tests.harness.published_film import publish_film
from tests.harness.servers import make_test_settings
from tests.web.conftest import TITLE, WITHOUT

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


async def test_a_film_is_watched_over_tls(tmp_path: Path) -> None:
    if not (WEB_CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built: run `make web`")
    authority = Authority(tmp_path)
    certificate, key = authority.issue()
    (tmp_path / "public.pem").write_bytes(certificate)
    (tmp_path / "public.key").write_bytes(key)
    settings = make_test_settings(
        tmp_path / "state",
        without=WITHOUT,
        tls_certificate=str(tmp_path / "public.pem"),
        tls_key=str(tmp_path / "public.key"),
        tls_authorities=str(authority.root),
    )
    settings = await start(settings)
    try:
        async with open_stores(settings, search_writer=True) as stores:
            film = tmp_path / "film"
            film.mkdir()
            await publish_film(stores, TITLE, film)
        said = await watch_and_resume(
            settings.public,
            settings.email,
            settings.password.get_secret_value(),
            query=TITLE,
            title=TITLE,
            certificate=settings.tls_certificate,
        )
        assert "frames decoded" in said
    except CheckSkipped as skipped:
        pytest.skip(str(skipped))
    finally:
        await asyncio.shield(stop(settings))
