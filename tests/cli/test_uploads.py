"""`marquee upload` for people and scripts: exit codes, one clear line on an error, files with difficult names."""

import gzip
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marquee import cli
from marquee.cli import uploads
from marquee.client.following import OnState
from marquee.settings import Settings
from tests.harness.served import served  # noqa: F401 - a fixture
from tests.harness.servers import free_port_base


@dataclass(frozen=True)
class Ran:
    code: int
    printed: list[dict[str, Any]]
    errors: str


class Command:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self.set(
            state=settings.state,
            public_url=settings.public,
            email=settings.email,
            password=settings.password.get_secret_value(),
        )

    def set(self, **values: object) -> None:
        for name, value in values.items():
            self._monkeypatch.setenv(f"MARQUEE_{name.upper()}", str(value))

    def run(self, *arguments: str | Path) -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["marquee", *map(str, arguments), "--json"])
        with pytest.raises(SystemExit) as ended:
            cli.app()
        out, errors = self._capsys.readouterr()
        return Ran(int(ended.value.code or 0), [json.loads(line) for line in out.splitlines()], errors)

    def person(self, *arguments: str | Path) -> str:
        """What a person sees of a command that succeeds, on both outputs."""
        self._monkeypatch.setattr(sys, "argv", ["marquee", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.app()
        out, errors = self._capsys.readouterr()
        assert not ended.value.code, errors
        return out + errors


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    served: Settings,  # noqa: F811 - the fixture above
) -> Command:
    return Command(capsys, monkeypatch, served)


def film(folder: Path, name: str | bytes = "film.mp4", body: bytes = b"x" * 1000) -> Path:
    path = folder / os.fsdecode(name)
    path.write_bytes(body)
    return path


def one_line(ran: Ran) -> str:
    lines = ran.errors.strip().splitlines()
    assert len(lines) == 1, f"a person gets {len(lines)} lines: {ran.errors}"
    return lines[0]


def test_an_uploaded_film_is_0(command: Command, tmp_path: Path) -> None:
    ran = command.run("upload", film(tmp_path))
    assert ran.code == 0, ran.errors
    assert ran.printed[-1]["state"] == "ingesting"
    assert ran.printed[-1]["movie_id"].startswith("m_")


def test_a_wrong_password_is_3(command: Command, tmp_path: Path) -> None:
    command.set(password="not the password")
    ran = command.run("upload", film(tmp_path))
    assert ran.code == 3
    assert "password is wrong" in one_line(ran)
    assert ran.printed == [{"error": "not-authenticated", "detail": ran.printed[0]["detail"], "field": None}]


def test_no_platform_is_4(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "FIRST_ANSWER_SECONDS", 0.1)
    command.set(public_url=f"http://127.0.0.1:{free_port_base()}")
    ran = command.run("upload", film(tmp_path))
    assert ran.code == 4
    assert "is not reachable" in one_line(ran)


@pytest.mark.parametrize("arguments", [("nowhere.mp4",), ("nowhere.mp4", "--year", "12"), ("--no-such-option",)])
def test_a_wrong_call_is_2(command: Command, arguments: tuple[str, ...]) -> None:
    assert command.run("upload", *arguments).code == 2


def test_an_unknown_title_is_2_and_a_missing_subtitle_too(command: Command, tmp_path: Path) -> None:
    ran = command.run("upload", film(tmp_path), "--movie-id", "m_vvvvvvvvvvvvvvvvvvvv")
    assert (ran.code, ran.printed[-1]["error"]) == (2, "title-unknown")
    ran = command.run("upload", film(tmp_path), "--subtitles", tmp_path / "film.en.vtt")
    assert (ran.code, ran.printed[-1]["field"]) == (2, "file"), (
        "a film was uploaded before its subtitles were looked for"
    )


def test_a_film_refused_at_the_door_is_3_and_does_not_stop_the_others(command: Command, tmp_path: Path) -> None:
    empty, good = film(tmp_path, "empty.mp4", b""), film(tmp_path, "good.mp4")
    ran = command.run("upload", empty, good)
    assert ran.code == 3, ran.errors
    ended = {event["file"]: event for event in ran.printed if "file" in event}
    assert {name: event["state"] for name, event in ended.items()} == {
        "empty.mp4": "refused",
        "good.mp4": "ingesting",
    }
    assert "is empty" in ended["empty.mp4"]["reason"]


@pytest.mark.parametrize("state", ["refused", "failed", "aborted", "abandoned", "superseded", "duplicate"])
def test_a_film_that_is_waited_for_and_never_plays_is_3(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    async def ended(api: object, upload_id: str, *, on_state: OnState) -> dict[str, Any]:
        answer = {"movie_id": "m_1", "upload_id": upload_id, "state": state, "stage": "plan", "percent": 12.0}
        on_state(answer)
        return {**answer, "reason": "Why it does not play."}

    monkeypatch.setattr(uploads, "follow_upload", ended)
    ran = command.run("upload", film(tmp_path, f"{state}.mp4"), "--wait")
    assert ran.code == 3, f"a script takes a film that is {state} for one that plays"
    assert (ran.printed[-1]["state"], ran.printed[-1]["reason"]) == (state, "Why it does not play.")


def test_a_film_without_a_title_gets_the_same_one_from_every_client(command: Command, tmp_path: Path) -> None:
    movie_id = command.run("upload", film(tmp_path, "the_long.film.mp4", b"y" * 1000)).printed[-1]["movie_id"]
    named = {item["movie_id"]: item["title"] for item in command.run("titles", "--limit", "500").printed}
    assert named[movie_id] == "the long film"


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ODD_NAMES: dict[str, str | None] = {
    "new\nline\ttab.mp4": "new line tab",
    "back\\slash.mp4": "back\\slash",
    "[red]markup[bold].mp4": "[red]markup[bold]",
    "x" * 251 + ".mp4": "x" * 200,
    "ä" * 125 + ".mp4": "ä" * 125,
    " .mp4": None,
    f"{FAMILY} \N{CLAPPER BOARD}.mp4": f"{FAMILY} \N{CLAPPER BOARD}",
    "\"double\" and 'single'.mp4": "\"double\" and 'single'",
    "50% #1 ?&;.mp4": "50% #1 ?&;",
    "...mp4": None,
    "film.mp4 ": "film",
    "\u202b\u05e1\u05e8\u05d8\u200f.mp4": "\u202b\u05e1\u05e8\u05d8\u200f",
    "cafe\u0301.mp4": "cafe\u0301",
    "caf\u00e9.mp4": "caf\u00e9",
    "CON.mp4": "CON",
    "http:x.mp4": "http:x",
    "concat:a|b.mp4": "concat:a|b",
    "-i.mp4": "-i",
    "%03d.mp4": "%03d",
    "film.mp4;rm": "film mp4;rm",
    "zero\u200bwidth.mp4": "zero\u200bwidth",
    "\x1b[31mred\x9b1m.mp4": "[31mred 1m",
    "u\u2028v.mp4": "u v",
    "FILM.MP4": "FILM",
    "Film.mp4": "Film",
}
"""Names of files, and their titles. None: the name itself, because there is no word in it."""


def test_a_file_of_any_name_is_uploaded_and_its_title_is_the_same_text_everywhere(
    command: Command, tmp_path: Path
) -> None:
    paths = {name: film(tmp_path, name.encode()) for name in ODD_NAMES}
    ran = command.run("upload", *paths.values())
    assert ran.code == 0, ran.errors
    ended = [event for event in ran.printed if "file" in event]
    assert len(ended) == len(ODD_NAMES)
    named = {item["movie_id"]: item["title"] for item in command.run("titles", "--limit", "500").printed}
    for (name, title), event in zip(ODD_NAMES.items(), ended, strict=True):
        assert named[event["movie_id"]] == (title if title is not None else name), f"the title of {name!a}"
        assert not set(event["file"]) & {"\n", "\t", "\x1b", "\x9b", "\u2028"}, (
            "a name may break a line or move the cursor"
        )
    shown = command.person("upload", *paths.values())
    assert "\x1b[31m" not in shown
    assert "\x9b" not in shown


def test_a_name_that_is_no_text_is_refused_before_anything_is_sent_or_gets_the_title_given(
    command: Command, tmp_path: Path
) -> None:
    odd, good = film(tmp_path, b"caf\xe9.mp4"), film(tmp_path, "good_one.mp4")
    ran = command.run("upload", good, odd)
    assert (ran.code, ran.printed[-1]["field"]) == (2, "title")
    assert "--title" in ran.printed[-1]["detail"]
    assert len(ran.printed) == 1, "a film was sent before the names were looked at"
    ran = command.run("upload", odd, "--title", f"Café {FAMILY}")
    assert ran.code == 0, ran.errors
    ran.printed[-1]["file"].encode()


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("--title", "two\nlines", "title"),
        ("--title", "\u200b \u2060", "title"),
        ("--title", "x" * 201, "title"),
        ("--title", os.fsdecode(b"caf\xe9"), "title"),
        ("--description", os.fsdecode(b"caf\xe9"), "description"),
        ("--genre", os.fsdecode(b"caf\xe9"), "genre"),
    ],
)
def test_a_text_that_cannot_be_shown_is_refused_with_its_field(
    command: Command, tmp_path: Path, option: str, value: str, field: str
) -> None:
    ran = command.run("upload", film(tmp_path), option, value)
    assert (ran.code, ran.printed[-1]["field"]) == (2, field)
    assert len(ran.printed) == 1


def test_a_catalogue_that_breaks_off_is_2(command: Command, tmp_path: Path, served: Settings) -> None:  # noqa: F811
    command.set(database_url=served.database)
    whole = gzip.compress(b'{"id": 1, "title": "A"}\n' * 1000)
    for name, body in (("half.jsonl.gz", whole[:-20]), ("text.jsonl.gz", b"no gzip at all")):
        ran = command.run("import-catalogue", film(tmp_path, name, body))
        assert ran.code == 2, ran.errors
        assert name in ran.printed[-1]["detail"]
