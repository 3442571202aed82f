"""Writes docs/operating/notes.md from `KINDS`: `python -m marquee.notes.page > docs/operating/notes.md`. A test compares them."""

from typing import Final

from marquee.notes.kinds import KINDS

_INTRODUCTION: Final = """\
# Notes

This page is made by `python -m marquee.notes.page > docs/operating/notes.md`. Do not edit it: change `marquee/notes/kinds.py`.

A film that is accepted may still have lost something. Whatever the chain leaves out, guesses, repairs or finds damaged is a
note on the version: a code, a sentence, the stream, and the figures in the sentence. Notes are shown

- by `GET /api/v1/uploads/{upload_id}` and `GET /api/v1/titles/{movie_id}` (`notes`, the most severe first),
- by `marquee upload --wait` and `marquee titles --notes`, also with `--json`,
- on the upload page and, for engineers, on the title's page of the web client,
- on each asset's page in Dagster (metadata `notes` and `severity`).

Viewers see only the sentences of the last table, and no code list, stream or figure.

| severity | meaning |
|---|---|
| `info` | The platform chose, guessed or converted something. Nothing of the film is missing. |
| `warning` | A part is left out or damaged. Viewers may miss it. |
| `serious` | A main part of the film is missing. |

## Refusing films with certain notes

`MARQUEE_REFUSE_NOTES=silent,picture-damaged` refuses such films. The refusal has the note's sentence and its remedy. The stage
of the table is the first one that knows: `source` refuses before anything is encoded. A note without a remedy is not the
film's fault and cannot be chosen. An unknown code stops the start, and the error lists the codes."""

_CODES: Final = ("## Codes", "", "| code | severity | stage | sentence | remedy |", "|---|---|---|---|---|")
_VIEWERS: Final = ("## What viewers are told", "", "| code | sentence |", "|---|---|")


def markdown_page() -> str:
    """The content of docs/operating/notes.md."""
    codes = [
        f"| `{code}` | {kind.severity} | {kind.stage} | {kind.sentence} | {kind.remedy or ''} |"
        for code, kind in KINDS.items()
    ]
    viewers = [f"| `{code}` | {kind.for_viewers} |" for code, kind in KINDS.items() if kind.for_viewers]
    return "\n".join([_INTRODUCTION, "", *_CODES, *codes, "", *_VIEWERS, *viewers])


if __name__ == "__main__":
    print(markdown_page())  # noqa: T201
