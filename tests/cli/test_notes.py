"""Notes in the CLI: a line each for people, an object each for scripts, also of a film that plays."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from marquee import cli
from marquee.cli import uploads
from marquee.cli.notes import print_notes
from marquee.client.following import OnState
from marquee.notes import NoteStream, note
from marquee.settings import Settings
from tests.harness.served import served  # noqa: F401 - a fixture

SILENT = note("silent", NoteStream(kind="audio", index=1), why="the only sound is AC-4, which cannot be decoded")
MARKUP = note("attachment-left-out", name="[red]font.ttf")
NOTES = [msgspec.to_builtins(one) for one in (SILENT, MARKUP)]


def test_a_note_is_a_line_with_severity_film_sentence_and_code() -> None:
    written = io.StringIO()
    print_notes(Console(file=written, width=60), "film [1].mp4", NOTES)
    assert written.getvalue().splitlines() == [
        f"serious: film [1].mp4: {SILENT.sentence} (silent)",
        f"info: film [1].mp4: {MARKUP.sentence} (attachment-left-out)",
    ]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("state", ["playable", "refused"])
def test_an_upload_that_is_waited_for_ends_with_its_notes(
    state: str,
    as_json: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    served: Settings,  # noqa: F811 - the fixture above
) -> None:
    async def ended(api: object, upload_id: str, *, on_state: OnState) -> dict[str, Any]:
        answer = {"movie_id": "m_1", "upload_id": upload_id, "state": state, "stage": "title", "percent": 100.0}
        on_state(answer)
        return {**answer, "reason": None, "notes": NOTES}

    monkeypatch.setattr(uploads, "follow_upload", ended)
    for name in ("state", "email"):
        monkeypatch.setenv(f"MARQUEE_{name.upper()}", str(getattr(served, name)))
    monkeypatch.setenv("MARQUEE_PUBLIC_URL", served.public)
    monkeypatch.setenv("MARQUEE_PASSWORD", served.password.get_secret_value())
    film = tmp_path / f"{state}-{as_json}.mp4"
    film.write_bytes(b"n" * 1000)
    monkeypatch.setattr(sys, "argv", ["marquee", "upload", str(film), "--wait", *(["--json"] if as_json else [])])
    with pytest.raises(SystemExit):
        cli.app()
    out, errors = capsys.readouterr()
    if as_json:
        assert json.loads(out.splitlines()[-1])["notes"] == NOTES
    else:
        assert f"serious: {film.name}: {SILENT.sentence} (silent)" in errors.splitlines()


def test_titles_are_listed_with_their_notes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = {"movie_id": "m_1", "title": "A", "year": None, "state": "playable", "duration_seconds": 1.0, "notes": NOTES}

    async def listed(state: str, limit: int, url: str) -> list[dict[str, Any]]:
        return [item]

    monkeypatch.setattr(uploads, "_titles", listed)
    uploads.titles(notes=True)
    out = capsys.readouterr().out
    assert f"serious: m_1: {SILENT.sentence} (silent)" in out.splitlines()
    uploads.titles(as_json=True)
    assert json.loads(capsys.readouterr().out)["notes"] == NOTES
