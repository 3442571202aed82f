"""Notes: every kind gives a whole sentence, lists of notes are bounded, and a setting's codes are checked."""

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.errors import SettingsInvalid
from marquee.notes import (
    KINDS,
    MAX_NOTES,
    Note,
    NoteStream,
    bounded,
    by_severity,
    for_viewers,
    note,
    parse_codes,
    refusal,
)
from marquee.settings import load_settings

TRACK = NoteStream(kind="audio", index=2, language="fr")


def figures_of(code: str) -> dict[str, int | float | str]:
    """A value for each figure of the kind's sentence."""
    names = {name: spec for _, name, spec, _ in string.Formatter().parse(KINDS[code].sentence) if name}
    return {name: 12.5 if spec and "f" in spec else "Word" for name, spec in names.items()}


@pytest.mark.parametrize("code", KINDS)
def test_every_kind_gives_a_sentence_with_its_figures(code: str) -> None:
    made = note(code, TRACK, **figures_of(code))
    assert made.severity == KINDS[code].severity
    assert "{" not in made.sentence
    if code != "earlier-release":
        assert made.sentence[0].isupper()
        assert made.sentence.endswith(".")
    assert msgspec.json.decode(msgspec.json.encode(made), type=Note) == made


@pytest.mark.parametrize("code", KINDS)
def test_codes_and_remedies_have_their_form(code: str) -> None:
    assert code == code.lower().replace("_", "-").strip("-")
    remedy = KINDS[code].remedy
    assert remedy is None or remedy.endswith("."), "a remedy is a sentence: it follows the note's in a refusal"


@given(st.text())
def test_a_text_of_a_file_breaks_no_store_and_no_line(text: str) -> None:
    made = note("attachment-left-out", name=text)
    encoded = msgspec.json.encode(made).decode()
    assert "\\u0000" not in encoded, "PostgreSQL's JSON holds no NUL"
    assert len(made.sentence.splitlines()) == 1
    assert len(made.sentence) < 500


@given(st.lists(st.sampled_from(["no-sound", "silent", "file-cut-off"]), max_size=5), st.integers(0, 300))
def test_the_most_severe_notes_are_kept_and_the_others_counted(codes: list[str], streams: int) -> None:
    severe = [note(code, why="x") for code in dict.fromkeys(codes)]
    many = [note("data-left-out", index=index, format="tmcd") for index in range(streams)]
    kept = bounded([*many, *severe])
    assert len(kept) <= MAX_NOTES
    assert all(one in kept for one in severe if one.severity != "info"), "a serious note made room for a harmless one"
    if len(many) + len(severe) > MAX_NOTES:
        assert kept[-1].figures["count"] == len(many) + len(severe) - MAX_NOTES + 1


def test_the_most_severe_comes_first() -> None:
    given_notes = [note("no-sound"), note("silent", why="x"), note("file-cut-off")]
    assert [one.severity for one in by_severity(given_notes)] == ["serious", "warning", "info"]


def test_viewers_get_a_sentence_of_their_own_once_and_no_details() -> None:
    shown = for_viewers(
        [
            note("silent", TRACK, why="the only sound is AC-4, which cannot be decoded"),
            note("sound-undecodable", TRACK, track="French", why="AC-4"),
            note("sound-damaged", TRACK, damaged=1, frames=9, track="A"),
            note("sound-damaged", TRACK, damaged=2, frames=9, track="B"),
        ]
    )
    assert [one.sentence for one in shown] == ["This film has no sound.", "Parts of this film's sound are damaged."]
    assert all(one.stream is None and not one.figures for one in shown)


def test_a_refusal_has_the_same_sentence_and_the_remedy() -> None:
    silent = note("silent", why="the only sound is AC-4, which cannot be decoded")
    reason = refusal([note("no-sound"), silent], parse_codes(" silent ,picture-damaged"))
    assert reason == f"{silent.sentence} Export its sound as AAC."
    assert refusal([note("no-sound")], parse_codes("silent")) is None
    assert refusal([silent], parse_codes("")) is None


@pytest.mark.parametrize("codes", ["silnt", "silent,,edge-not-filled"])
def test_a_code_that_cannot_be_chosen_is_an_error_that_lists_the_codes(codes: str) -> None:
    with pytest.raises(SettingsInvalid) as wrong:
        load_settings(refuse_notes=codes)
    assert wrong.value.field == "MARQUEE_REFUSE_NOTES"
    for code in ("silent", "picture-damaged"):
        assert code in wrong.value.detail
    assert codes.split(",")[-1] in wrong.value.detail
