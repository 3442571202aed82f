"""No warning of a stage ends in a log, in Dagster's metadata or in a swallowed error alone: each has a note, or a reason here."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from marquee.documents import DOCUMENT_OF_STAGE, STAGES
from marquee.notes import KINDS, Note
from tests.harness.parsing import parsed

PROJECT = Path(__file__).parents[2]
STAGE_CODE = sorted(
    path for folder in ("marquee/media", "assets/ingest", "marquee/cdn") for path in (PROJECT / folder).rglob("*.py")
)
LOG_METHODS = {"info", "warning", "warn", "error", "exception", "critical"}
TOLERATED = {
    *("ProcessFailed", "ProcessTimedOut", "ObjectMissing", "StoreUnavailable", "MarqueeError"),
    *("HTTPError", "Exception", "NotSubtitles", "OSError"),
}

LOGGED = {
    ("marquee/media/source/judge.py", "source not readable"): "the film is refused with a sentence",
    ("marquee/media/source/judge.py", "picture not decodable"): "picture-undecodable, or the film is refused",
    ("marquee/media/source/close_look.py", "close look"): "the scan's own counts decide: refused, or picture-damaged",
    (
        "marquee/media/source/close_look.py",
        "packets in gaps",
    ): "the scan's own counts decide: refused, or picture-damaged",
    (
        "marquee/media/source/seeking.py",
        "seek shows other pictures",
    ): "another start is tried: index-unusable, chunks-decoded-again",
    ("marquee/media/source/seeking.py", "seeks land too early"): "index-unusable",
    ("marquee/media/encode/transcode.py", "decoded from the film's start"): "chunks-decoded-again",
    ("marquee/media/pictures/backdrop.py", "backdrop not cut"): "another frame is taken, or backdrop-left-out",
    ("marquee/media/pictures/backdrop.py", "backdrop not written"): "backdrop-left-out",
    ("assets/ingest/outcomes.py", "Refused:"): "the version's state and reason, and the page of the asset",
    (
        "marquee/cdn/edge_log/shipping.py",
        "lines of an edge's log are damaged",
    ): "counted beside the shipper's place",
    ("marquee/cdn/edge_log/shipping.py", "an edge dropped the oldest lines"): "the doctor shows how many were lost",
    (
        "assets/ingest/chunks.py",
        "The workers get no message",
    ): "nothing is lost: the workers look at the queue every 2 s",
    (
        "assets/ingest/source.py",
        "Cancelled, because this film is newer",
    ): "each cancelled version says so as its reason",
    (
        "assets/ingest/cancelling.py",
        "looking for a cancellation failed",
    ): "nothing is lost: the next look, a second later, finds the version cancelled",
}
"""Where stage code logs, by its words: who is told besides."""

SWALLOWED = {
    "assets/ingest/chunks.py::_enqueue": "the hint to workers, see LOGGED",
    "assets/ingest/plan.py::_published_plan": "a version that was never planned is planned now",
    "assets/ingest/cancelling.py::_end_of": "the stage's own reports find the catalogue down, or the version cancelled",
    "assets/ingest/cancelling.py::watch": "as `until_cancelled`",
    "assets/ingest/cancelling.py::until_cancelled": "the next look, a second later, finds the version cancelled",
    "assets/ingest/cancelling.py::remove_what_it_stored": "housekeeping removes it: `remove_cancelled_versions`",
    "assets/ingest/stage.py::_from_earlier_manifest": "an earlier release's document; its absence is raised by `read`",
    "assets/ingest/stage.py::collect_notes": "a stage without a document has no notes",
    "assets/ingest/stage.py::_fail": "housekeeping removes what is left: `remove_failed_versions`",
    "marquee/cdn/fill.py::_answers": "counted as not filled: edge-not-filled",
    "marquee/cdn/fill.py::fill": "counted as not filled: edge-not-filled",
    "marquee/cdn/fill.py::warm": "its inner `fill`",
    "marquee/media/pictures/backdrop.py::_cut": "another frame is taken, or backdrop-left-out",
    "marquee/media/pictures/backdrop.py::make_backdrop": "backdrop-left-out",
    "marquee/media/programs/sandbox.py::main": "its exit code and stderr: `process` raises",
    "marquee/media/encode/transcode.py::transcode_chunk": "chunks-decoded-again",
    "marquee/media/sound/audio.py::undecoded": "`_without_undecoded`: sound-undecodable",
    "marquee/media/sound/audio.py::_encode_with_retry": "sound-undecodable, or the mix is encoded again",
    "marquee/media/source/clock.py::picture_clock": "clock-guessed",
    "marquee/media/source/close_look.py::_decode_again": "the scan's own counts decide: refused, or picture-damaged",
    "marquee/media/ladder/analyse.py::packet_bytes": "the packets that were read place the trials; judge tells of the damage",
    "marquee/media/source/close_look.py::_packets_in_gaps": "the scan's own counts decide: refused, or picture-damaged",
    "marquee/media/source/coded_aspects.py::coded_aspects": "the shapes that were read count: pixel-shape-changes",
    "marquee/media/source/scan.py::scan": "judge counts the frames that were found: refused, or picture-damaged",
    "marquee/media/source/sound_times.py::sound_times": "what was read decides; less of it only makes `judge` stricter",
    "marquee/media/source/seeking.py::_decode": "decoded from the film's start: index-unusable or chunks-decoded-again",
    "marquee/media/text/embedded.py::copy_tracks": "the track is missing: text-track-left-out by `_embedded_tracks`",
    "marquee/media/text/sampled_text.py::read": "counted: text-cues-left-out, or the track is left out",
    "marquee/media/text/subtitles.py::_embedded_tracks": "text-track-left-out",
    "marquee/media/text/subtitles.py::_sidecar_track": "text-track-left-out",
}
"""Functions of stage code that go on after an error: who is told."""


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _names(node: ast.expr | None) -> set[str]:
    if node is None:
        return {"Exception"}
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def _raises(handler: ast.ExceptHandler) -> bool:
    """Whether the handler's last statement raises, so that nothing is swallowed."""
    return isinstance(handler.body[-1], ast.Raise)


def _swallows(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler) and _names(node.type) & TOLERATED and not _raises(node):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            return bool({name for argument in node.args for name in _names(argument)} & TOLERATED)
    return False


def _makes_notes(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) == "note" for node in ast.walk(function))


@pytest.mark.parametrize("path", STAGE_CODE, ids=lambda path: str(path.relative_to(PROJECT)))
def test_what_stage_code_logs_is_told_to_somebody(path: Path) -> None:
    name = str(path.relative_to(PROJECT))
    for node in ast.walk(parsed(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS):
            continue
        owner = ast.unparse(node.func.value)
        if owner.rpartition(".")[2] not in {"log", "logger", "logging", "warnings"}:
            continue
        words = ast.unparse(node.args[0]) if node.args else ""
        known = any(where == name and said in words for where, said in LOGGED)
        assert known, f"{name}:{node.lineno} logs {words}: emit a note, or say in LOGGED who is told"


@pytest.mark.parametrize("path", STAGE_CODE, ids=lambda path: str(path.relative_to(PROJECT)))
def test_an_error_that_stage_code_tolerates_is_told_to_somebody(path: Path) -> None:
    for function in _functions(parsed(path.read_text())):
        where = f"{path.relative_to(PROJECT)}::{function.name}"
        if where not in SWALLOWED and _swallows(function):
            assert _makes_notes(function), (
                f"{where} goes on after an error: emit a note, or say in SWALLOWED who is told"
            )


def test_the_lists_of_reasons_name_what_exists() -> None:
    functions = {
        f"{path.relative_to(PROJECT)}::{function.name}"
        for path in STAGE_CODE
        for function in _functions(parsed(path.read_text()))
    }
    assert set(SWALLOWED) <= functions, f"gone: {sorted(set(SWALLOWED) - functions)}"
    for name, words in LOGGED:
        assert words in (PROJECT / name).read_text(), f"{name} does not log {words} any more"


def _texts(kind: Any, found: set[str], where: str) -> None:
    """Every list of texts in a document's type: a place where a sentence could hide from everybody."""
    for field in msgspec.structs.fields(kind):
        inner = [field.type, *get_args(field.type)]
        if get_origin(field.type) is list and str in get_args(field.type):
            found.add(f"{where}.{field.name}")
        for one in inner:
            if isinstance(one, type) and issubclass(one, msgspec.Struct) and one is not Note:
                _texts(one, found, one.__name__)


PATHS = {"ImagesDocument.files", "ManifestDocument.files", "PackagedStream.segments", "Thumbnails.sheets"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_document_has_notes_and_no_other_sentences(stage: str) -> None:
    kind = DOCUMENT_OF_STAGE[stage]
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    assert types.get("notes") == list[Note]
    found: set[str] = set()
    _texts(kind, found, kind.__name__)
    assert found <= PATHS, f"{sorted(found - PATHS)} hold sentences that nobody is told: make them notes"


def test_no_stage_shows_sentences_in_dagster_that_are_not_notes() -> None:
    shown = {path.name for path in STAGE_CODE if "bullet_list(" in path.read_text()} - {"metadata.py"}
    assert shown == {"checks.py"}, (
        f"{sorted(shown)} show sentences that are no notes: only a failed check's findings may"
    )


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("marquee", "assets", "jobs"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(parsed(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "note" and node.args:
                    yield f"{path.relative_to(PROJECT)}:{node.lineno}", node


def test_every_code_is_emitted_somewhere_and_every_emitted_code_is_known() -> None:
    emitted: dict[str, str] = {}
    for where, call in _calls():
        code = call.args[0]
        assert isinstance(code, ast.Constant), f"{where}: the code must be a literal"
        emitted[str(code.value)] = where
    unknown = {where: code for code, where in emitted.items() if code not in KINDS}
    assert not unknown, f"codes that are not in the list: {unknown}"
    missing = set(KINDS) - set(emitted)
    assert not missing, f"nobody emits {sorted(missing)}"
