"""The options of `marquee upload` that say more of its subtitle files than their names do, and what it prints about them.

A value counts for every subtitle file (`--subtitle-encoding windows-1251`), or for one (`old.ru.srt=windows-1251`). What no
option says, the platform reads from the file's name and content; what it guessed is printed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from marquee.errors import InputInvalid

SidecarFields = Mapping[Path, Mapping[str, object]]
"""The API's fields by subtitle file."""
KINDS: Final = {"forced": "forced", "sdh": "hearing_impaired", "commentary": "commentary"}

Encodings = Annotated[
    list[str] | None, typer.Option(help="Encoding of the subtitle files, such as windows-1251; or FILE=ENCODING.")
]
Languages = Annotated[
    list[str] | None, typer.Option(help="Language of the subtitle files, such as pt-BR; or FILE=LANGUAGE.")
]
Labels = Annotated[list[str] | None, typer.Option(help="Name of the track in players; or FILE=NAME.")]
Kinds = Annotated[
    list[str] | None, typer.Option(help="forced, sdh or commentary; or FILE=KIND. May be given several times.")
]


def fields_of_sidecars(
    sidecars: Sequence[Path],
    *,
    encodings: Sequence[str] | None,
    languages: Sequence[str] | None,
    labels: Sequence[str] | None,
    kinds: Sequence[str] | None,
) -> dict[Path, dict[str, object]]:
    """The API's fields by file. Raises `InputInvalid` for an unknown kind, and for a file that is not among the subtitles."""
    fields: dict[Path, dict[str, object]] = {path: {} for path in sidecars}
    for option, name, values in (
        ("--subtitle-encoding", "encoding", encodings),
        ("--subtitle-language", "language", languages),
        ("--subtitle-label", "label", labels),
    ):
        for value in values or ():
            for path, wanted in _meant(option, value, sidecars):
                fields[path][name] = wanted
    for value in kinds or ():
        for path, wanted in _meant("--subtitle-kind", value, sidecars):
            if wanted not in KINDS:
                raise InputInvalid(
                    f"--subtitle-kind {wanted} is not known: use {', '.join(KINDS)}.", field="subtitle_kind"
                )
            fields[path][KINDS[wanted]] = True
    return fields


def _meant(option: str, value: str, sidecars: Sequence[Path]) -> list[tuple[Path, str]]:
    """(file, value) of an option's value."""
    if not sidecars:
        raise InputInvalid(f"{option} needs a subtitle file: give --subtitles too.", field="subtitles")
    name, joint, wanted = value.rpartition("=")
    if not joint:
        return [(path, value) for path in sidecars]
    found = [path for path in sidecars if name in {path.name, str(path)}]
    if not found:
        raise InputInvalid(f"{option} {value}: {name} is not one of the subtitle files.", field="subtitles")
    return [(path, wanted) for path in found]


def sentences_of_sidecar(answer: Mapping[str, Any]) -> list[str]:
    """What to tell a person about a stored subtitle file: its track, and what was guessed or repaired."""
    first = f': "{answer["first_line"]}"' if answer.get("encoding_guessed") and answer.get("first_line") else ""
    replaced = answer.get("replaced")
    return [
        f"{answer['file_name']}: {answer['label']}, {answer['encoding']}{first}",
        *([f"It replaces {replaced}, which was sent before as the same track."] if replaced else ()),
        *(note["sentence"] for note in answer["notes"]),
    ]
