"""`marquee upload` and `titles`: clients of the public API, which work from any machine.

A film that the API refuses does not stop the upload of the other files.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from marquee.cli import EXIT_REFUSED, subtitle_options
from marquee.cli.display import TitleDisplay
from marquee.cli.notes import print_notes
from marquee.client.following import follow_upload
from marquee.client.session import ApiProblem, ApiSession
from marquee.client.uploader import PartSent, check_titles, printable_name, upload_film
from marquee.domain.lifecycle import FOLLOWED_SENTENCES, NEVER_PLAYABLE
from marquee.errors import InputInvalid
from marquee.settings import load_settings
from marquee.trust import trusted

REFUSED_STATUSES = (413, 415, 422)
"""Statuses with which the API refuses a film before it has a title: too large, not a film's file name, empty."""
FIRST_ANSWER_SECONDS = 15.0
"""How long the client waits for the platform's first answer. It waits longer through an outage later on."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Url = Annotated[str, typer.Option(help="The gateway; default: this machine's platform.")]


def _say(as_json: bool, **event: object) -> None:
    if as_json:
        typer.echo(json.dumps(event))


async def open_session(url: str) -> ApiSession:
    """Open a session of the API, logged in with the account of the settings. `url`: the gateway; empty: this machine's."""
    settings = load_settings()
    api = ApiSession(url or settings.public, verify=trusted(settings.tls_authorities))
    try:
        await api.log_in(settings.email, settings.password.get_secret_value(), seconds=FIRST_ANSWER_SECONDS)
    except BaseException:
        await api.close()
        raise
    return api


def upload(
    files: Annotated[list[Path], typer.Argument(help="Films to upload.")],
    title: Annotated[str, typer.Option(help="Title; default: made from the file's name.")] = "",
    year: Annotated[int | None, typer.Option(min=1870, max=2200)] = None,
    genre: Annotated[list[str] | None, typer.Option(help="Genre; may be given several times.")] = None,
    description: Annotated[str, typer.Option()] = "",
    subtitles: Annotated[
        list[Path] | None, typer.Option(help="SRT, WebVTT or ASS file, such as film.de.srt or film.pt-BR.forced.srt.")
    ] = None,
    subtitle_encoding: subtitle_options.Encodings = None,
    subtitle_language: subtitle_options.Languages = None,
    subtitle_label: subtitle_options.Labels = None,
    subtitle_kind: subtitle_options.Kinds = None,
    movie_id: Annotated[str, typer.Option(help="A new master for this title.")] = "",
    hot: Annotated[bool, typer.Option("--hot", help="New release: first in the queue, pushed to the edges.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is playable, or never will be.")] = False,
    as_json: Json = False,
    url: Url = "",
) -> None:
    """Upload films. After a kill, run the same command again: the upload continues where it stopped.

    Exit code 3 if a film will not play: it was refused, failed or cancelled, or its title was deleted or got a newer
    master.
    """
    if len(files) > 1 and (title or movie_id or subtitles):
        raise InputInvalid(
            f"--title, --movie-id and --subtitles fit one file, and {len(files)} are given: upload the files one by one.",
            field="files",
        )
    sidecars = subtitle_options.fields_of_sidecars(
        subtitles or [],
        encodings=subtitle_encoding,
        languages=subtitle_language,
        labels=subtitle_label,
        kinds=subtitle_kind,
    )
    details: dict[str, object] = {}
    if title:
        details["title"] = title
    if hot:
        details["hot"] = True
    if year is not None:
        details["year"] = year
    if genre:
        details["genres"] = genre
    if description:
        details["description"] = description
    if movie_id:
        details["movie_id"] = movie_id
    check_titles(files, details)
    for name, text in (("description", description), *(("genre", one) for one in genre or ())):
        _check_utf8(name, text)
    states = asyncio.run(_upload_all(files, details, sidecars, wait, as_json, url))
    if NEVER_PLAYABLE.intersection(states):
        raise typer.Exit(EXIT_REFUSED)


def _check_utf8(option: str, text: str) -> None:
    """Raises `InputInvalid` for bytes of the command line that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputInvalid(f"--{option} has bytes that are not UTF-8: write it in UTF-8.", field=option) from error


async def _upload_all(
    files: list[Path],
    details: dict[str, object],
    sidecars: subtitle_options.SidecarFields,
    wait: bool,
    as_json: bool,
    url: str,
) -> list[str]:
    console = Console(stderr=True, quiet=as_json)
    states = []
    async with await open_session(url) as api:
        with TitleDisplay(console) as display:
            for path in files:
                state = await _upload_one(api, path, details, sidecars, wait, as_json, display)
                states.append(state["state"])
                print_notes(console, printable_name(path.name), state.get("notes") or ())
                if state["state"] in NEVER_PLAYABLE:
                    line = escape(
                        f"{printable_name(path.name)}: {state['reason'] or FOLLOWED_SENTENCES[state['state']]}"
                    )
                    console.print(f"[red]{line}[/]", highlight=False, soft_wrap=True)
    return states


async def _upload_one(
    api: ApiSession,
    path: Path,
    details: dict[str, object],
    sidecars: subtitle_options.SidecarFields,
    wait: bool,
    as_json: bool,
    display: TitleDisplay,
) -> dict[str, Any]:
    row = display.add(str(details.get("title") or printable_name(path.name)))

    def on_part(sent: PartSent) -> None:
        display.part_sent(row, sent)
        _say(
            as_json,
            movie_id=sent.movie_id,
            upload_id=sent.upload_id,
            state="uploading",
            part=sent.number,
            parts=sent.parts_total,
            reused=sent.reused,
        )

    def on_sidecar(answer: Mapping[str, Any]) -> None:
        for sentence in subtitle_options.sentences_of_sidecar(answer):
            display.say(sentence)
        _say(as_json, state="subtitles", **answer)

    try:
        uploaded = await upload_film(
            api, path, details, sidecars=list(sidecars), sidecar_fields=sidecars, on_part=on_part, on_sidecar=on_sidecar
        )
    except ApiProblem as problem:
        if problem.status not in REFUSED_STATUSES:
            raise
        # Not raised: the other files are still uploaded.
        state = {"movie_id": None, "upload_id": None, "state": "refused", "reason": problem.detail}
        display.state_seen(row, {**state, "stage": "upload", "percent": 0.0})
    else:
        upload_id = uploaded["upload_id"]
        if wait:
            state = await follow_upload(api, upload_id, on_state=lambda seen: display.state_seen(row, seen))
        else:
            state = await api.get(f"/uploads/{upload_id}")
    said = {name: state.get(name) for name in ("movie_id", "upload_id", "state", "reason")}
    _say(as_json, **said, file=printable_name(path.name), notes=state.get("notes") or [])
    return state


def cancel_upload(
    upload_ids: Annotated[list[str], typer.Argument(help="Ids of open uploads, `u_...`.")],
    as_json: Json = False,
    url: Url = "",
) -> None:
    """Cancel open uploads: what is stored of them is removed. They count no longer as open."""
    asyncio.run(_cancel(upload_ids, as_json, url))


async def _cancel(upload_ids: list[str], as_json: bool, url: str) -> None:
    async with await open_session(url) as api:
        for upload_id in upload_ids:
            await api.delete(f"/uploads/{quote(upload_id, safe='')}")
            _say(as_json, upload_id=upload_id, state="aborted")
            Console(stderr=True, quiet=as_json).print(f"{escape(upload_id)} is cancelled", highlight=False)


def titles(
    state: Annotated[str, typer.Option(help="Only titles in this state, such as playable.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    notes: Annotated[bool, typer.Option("--notes", help="Also print each title's notes.")] = False,
    as_json: Json = False,
    url: Url = "",
) -> None:
    """List the platform's titles. The column `notes` counts what was left out, guessed, repaired or found damaged."""
    found = asyncio.run(_titles(state, limit, url))
    if as_json:
        for item in found:
            typer.echo(json.dumps(item))
        return
    table = Table("movie_id", "title", "year", "state", "seconds", "notes")
    for item in found:
        seconds = item.get("duration_seconds")
        table.add_row(
            item["movie_id"],
            escape(item["title"]),
            str(item["year"] or ""),
            item["state"],
            f"{seconds:.1f}" if seconds else "",
            str(len(item["notes"]) or ""),
        )
    console = Console()
    console.print(table)
    if notes:
        for item in found:
            print_notes(console, item["movie_id"], item["notes"])


async def _titles(state: str, limit: int, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    async with await open_session(url) as api:
        while len(found) < limit:
            page = await api.get("/titles", limit=min(100, limit - len(found)), cursor=cursor, state=state or None)
            found += page["titles"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    return found
