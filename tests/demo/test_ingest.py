"""The demo uploads each film once, and continues an upload that was interrupted. Against the real API and a real S3."""

from pathlib import Path
from typing import Any

import pytest

from marquee.client.session import ApiSession
from marquee.client.uploader import PartSent, upload_film
from marquee.demo import ingest
from marquee.demo.films import DemoFilm
from marquee.settings import Settings
from tests.harness.served import served  # noqa: F401 - a fixture

FILM = DemoFilm("cut_short.mp4", "Cut Short", 2026, ("Drama",), "A film whose upload ended midway.")


class Killed(Exception):
    """Raised where the test interrupts the demo."""


class Quiet:
    def add(self, title: str) -> str:
        return title

    def part_sent(self, row: str, sent: PartSent) -> None: ...

    def state_seen(self, row: str, state: dict[str, Any]) -> None: ...


async def test_a_film_that_was_cut_short_is_gone_on_with_and_then_left_alone(
    served: Settings,  # noqa: F811 - the fixture above
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ended(api: ApiSession, upload_id: str, **_: object) -> Any:
        return await api.get(f"/uploads/{upload_id}")

    def killed(_: PartSent) -> None:
        raise Killed

    monkeypatch.setattr(ingest, "follow_upload", ended)
    path = tmp_path / FILM.file_name
    path.write_bytes(bytes(2 * served.upload_part_bytes))
    async with ApiSession(served.public) as api:
        await api.log_in(served.email, served.password.get_secret_value())
        with pytest.raises(Killed):
            await upload_film(api, path, {"title": FILM.title}, on_part=killed)
        movie_id = (await ingest.known_titles(api))[FILM.title]["movie_id"]

        (again,) = await ingest.ingest_films(api, [(FILM, path)], Quiet())
        assert (again.movie_id, again.state) == (movie_id, "ingesting")
        assert again.ended_at is not None, "the film's title waits for its parts for ever"

        (left,) = await ingest.ingest_films(api, [(FILM, path)], Quiet())
        assert (left.movie_id, left.ended_at) == (movie_id, None), "a film that has arrived was uploaded again"
