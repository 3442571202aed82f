"""`marquee upload --subtitles`: files of any encoding are read; one that cannot be read stops the film before its first byte."""

from pathlib import Path

import pytest

from marquee.cli.subtitle_options import fields_of_sidecars
from marquee.errors import InputInvalid
from tests.cli.test_uploads import Command, command, film  # noqa: F401 - a fixture
from tests.harness.served import served  # noqa: F401 - a fixture

SRT = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


def written(folder: Path, name: str, words: str, encoding: str) -> Path:
    path = folder / name
    path.write_bytes(SRT.format(words).encode(encoding))
    return path


def test_a_file_in_an_old_encoding_is_read_and_the_guess_is_told(command: Command, tmp_path: Path) -> None:  # noqa: F811
    old = written(tmp_path, "film.ru.forced.srt", "Привет, как дела? Всё хорошо.", "cp1251")
    ran = command.run("upload", film(tmp_path, "old.mp4"), "--subtitles", old)
    assert ran.code == 0, ran.errors
    told = next(event for event in ran.printed if event["state"] == "subtitles")
    assert (told["language"], told["label"], told["encoding"]) == ("ru", "Russian (forced)", "windows-1251")
    assert told["first_line"] == "Привет, как дела? Всё хорошо."
    assert "windows-1251" in told["notes"][0]["sentence"], "a guess was not told to the uploader"
    states = [event["state"] for event in ran.printed]
    assert states.index("subtitles") < states.index("uploading"), "the film went before its subtitles"


def test_a_file_that_cannot_be_told_stops_the_film_before_its_first_byte(command: Command, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "film.srt"
    path.write_bytes(SRT.encode().replace(b"{}", b"caf\xe9"))
    ran = command.run("upload", film(tmp_path, "stopped.mp4"), "--subtitles", path)
    assert ran.code == 3
    assert [event["state"] for event in ran.printed] == ["refused"], "a part of the film was sent"
    reason = ran.printed[-1]["reason"]
    assert "film.srt" in reason
    assert "windows-1252" in reason, "the likeliest encoding is not named"
    again = command.run("upload", film(tmp_path, "stopped.mp4"), "--subtitles", path, "--subtitle-encoding", "latin-1")
    assert again.code == 0, again.errors
    assert next(event for event in again.printed if event["state"] == "subtitles")["first_line"] == "café"
    assert not any(event.get("reused") for event in again.printed), "the refused upload was left open"


def test_options_name_a_file_or_all_of_them() -> None:
    one, other = Path("a/one.srt"), Path("two.srt")
    fields = fields_of_sidecars(
        [one, other],
        encodings=["cp1251"],
        languages=["one.srt=ru"],
        labels=["two.srt=Songs"],
        kinds=["two.srt=sdh", "forced"],
    )
    assert fields == {
        one: {"encoding": "cp1251", "language": "ru", "forced": True},
        other: {"encoding": "cp1251", "label": "Songs", "hearing_impaired": True, "forced": True},
    }


@pytest.mark.parametrize(("option", "value"), [("kinds", "loud"), ("languages", "three.srt=de")])
def test_a_wrong_option_names_itself(option: str, value: str) -> None:
    given: dict[str, list[str] | None] = dict.fromkeys(("encodings", "languages", "labels", "kinds"))
    with pytest.raises(InputInvalid, match=value.partition("=")[0]):
        fields_of_sidecars([Path("one.srt")], **{**given, option: [value]})
