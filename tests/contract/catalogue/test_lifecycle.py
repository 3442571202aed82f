"""The real catalogue against the table of states: each change that it makes is allowed, and it makes no other."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from marquee.domain import lifecycle
from marquee.domain.lifecycle import (
    TITLE_BECOMES,
    UPLOAD_BECOMES,
    VERSION_BECOMES,
    TitleState,
    UploadState,
    VersionState,
)
from marquee.errors import MarqueeError
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from tests.harness.catalogue.steps import DETAILS, ingesting, opened, publication_of

States = dict[str, dict[str, str]]
"""Of one title, by table: the state of each row."""


Rows = psycopg.Connection[tuple[str, str]]


@pytest.fixture
def rows(url: str) -> Iterator[Rows]:
    """The catalogue's tables, beside its contract."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def states(rows: Rows, movie_id: str) -> States:
    return {
        "title": dict(rows.execute("SELECT movie_id, state FROM title WHERE movie_id = %s", [movie_id])),
        "title_version": dict(
            rows.execute("SELECT upload_id, state FROM title_version WHERE movie_id = %s", [movie_id])
        ),
        "upload": dict(rows.execute("SELECT upload_id, state FROM upload WHERE movie_id = %s", [movie_id])),
    }


def set_state(rows: Rows, table: str, upload: Upload, state: str) -> None:
    """As if an earlier life had led there."""
    column, key = ("movie_id", upload.movie_id) if table == "title" else ("upload_id", upload.upload_id)
    rows.execute(f"UPDATE {table} SET state = %s WHERE {column} = %s", [state, key])  # type: ignore[arg-type]


BECOMES: dict[str, Any] = {"title": TITLE_BECOMES, "title_version": VERSION_BECOMES, "upload": UPLOAD_BECOMES}
BORN: dict[str, set[str]] = {"title": {"ingesting", "announced"}, "title_version": {"uploading"}, "upload": {"open"}}


def forbidden_changes(before: States, after: States) -> list[str]:
    found = []
    for table, rows in after.items():
        for key, state in rows.items():
            was = before[table].get(key)
            if table == "title_version" and (was, state) == (lifecycle.CANCELLED, lifecycle.RELEASED):
                continue  # A newer film had overtaken it. `test_a_version_becomes_...` shows that `fail` does not do this.
            if state not in BORN[table] if was is None else not lifecycle.may_become(BECOMES[table], was, state):
                found.append(f"{table} {was} -> {state}")
    return found


# --- one step from every state ---------------------------------------------------------------------------
Step = Callable[[Catalogue, Upload], Awaitable[object]]

VERSION_STEPS: dict[VersionState, Step] = {
    "playable": lambda catalogue, one: catalogue.versions.publish(publication_of(one.movie_id, one.version)),
    "refused": lambda catalogue, one: catalogue.versions.refuse(one.movie_id, one.version, "No picture."),
    "failed": lambda catalogue, one: catalogue.versions.fail(one.movie_id, one.version, "The disk is full."),
    "cancelled": lambda catalogue, one: catalogue.versions.cancel(one.movie_id, one.version),
}
UPLOAD_STEPS: dict[UploadState, Step] = {
    "open": lambda catalogue, one: catalogue.uploads.reopen(one.upload_id),
    "completing": lambda catalogue, one: catalogue.uploads.begin_completion(one.upload_id),
    "completed": lambda catalogue, one: catalogue.uploads.finish_completion(one.upload_id, topic="t", value=b"{}"),
    "aborted": lambda catalogue, one: catalogue.uploads.end(one.upload_id, "aborted"),
    "abandoned": lambda catalogue, one: catalogue.uploads.end(one.upload_id, "abandoned"),
}


async def refused_or_done(step: Awaitable[object]) -> None:
    with contextlib.suppress(MarqueeError):
        await step


@pytest.mark.parametrize("state", get_args(VersionState))
@pytest.mark.parametrize("target", VERSION_STEPS)
async def test_a_version_becomes_what_the_table_allows_and_nothing_else(
    catalogue: Catalogue, rows: Rows, state: VersionState, target: VersionState
) -> None:
    upload = await ingesting(catalogue)
    set_state(rows, "title_version", upload, state)
    await refused_or_done(VERSION_STEPS[target](catalogue, upload))
    expected = target if lifecycle.may_become(VERSION_BECOMES, state, target) else state
    after = states(rows, upload.movie_id)["title_version"][upload.upload_id]
    assert after == expected, f"asked to become {target}, the version went from {state} to {after}"


@pytest.mark.parametrize("state", get_args(VersionState))
async def test_a_new_runs_report_revives_only_what_may_be_ingested_again(
    catalogue: Catalogue, rows: Rows, state: VersionState
) -> None:
    upload = await ingesting(catalogue)
    set_state(rows, "title_version", upload, state)
    await refused_or_done(
        catalogue.versions.report_progress(upload.movie_id, upload.version, stage="plan", percent=5, run_id="new")
    )
    after = states(rows, upload.movie_id)["title_version"][upload.upload_id]
    revived = lifecycle.REVIVED_BY_REPORT | lifecycle.REVIVED_BY_NEW_RUN
    assert after == ("ingesting" if state in revived else state)


@pytest.mark.parametrize("state", get_args(UploadState))
@pytest.mark.parametrize("target", UPLOAD_STEPS)
async def test_an_upload_becomes_what_the_table_allows_and_nothing_else(
    catalogue: Catalogue, rows: Rows, state: UploadState, target: UploadState
) -> None:
    upload = await opened(catalogue)
    set_state(rows, "upload", upload, state)
    await refused_or_done(UPLOAD_STEPS[target](catalogue, upload))
    expected = target if lifecycle.may_become(UPLOAD_BECOMES, state, target) else state
    after = states(rows, upload.movie_id)["upload"][upload.upload_id]
    assert after == expected, f"asked to become {target}, the upload went from {state} to {after}"


@pytest.mark.parametrize("state", get_args(TitleState))
async def test_a_title_is_taken_out_deleted_and_changed_only_where_the_table_allows(
    catalogue: Catalogue, rows: Rows, state: TitleState
) -> None:
    for target, step in (("unpublished", catalogue.titles.unpublish), ("deleted", catalogue.titles.delete)):
        upload = await ingesting(catalogue)
        set_state(rows, "title", upload, state)
        await refused_or_done(step(upload.movie_id))
        expected = target if lifecycle.may_become(TITLE_BECOMES, state, target) else state  # type: ignore[arg-type]
        after = states(rows, upload.movie_id)["title"][upload.movie_id]
        assert after == expected, f"asked to become {target}, the title went from {state} to {after}"
    if state in lifecycle.DELETED_TITLES:
        with pytest.raises(MarqueeError):
            await catalogue.titles.edit(upload.movie_id, DETAILS)


# --- a walk ----------------------------------------------------------------------------------------------
@dataclass
class Walk:
    """Any steps on one title, in any order, each by the contract's methods."""

    catalogue: Catalogue
    movie_id: str
    uploads: list[Upload] = field(default_factory=list)

    async def take(self, step: str, at: int) -> None:
        catalogue, movie_id = self.catalogue, self.movie_id
        one = self.uploads[at % len(self.uploads)]
        match step:
            case "new version":
                self.uploads.append(await opened(catalogue, movie_id))
            case "announce":
                await catalogue.titles.announce([(movie_id, DETAILS)])
            case "unpublish":
                await catalogue.titles.unpublish(movie_id)
            case "republish":
                await catalogue.titles.republish(movie_id)
            case "delete":
                await catalogue.titles.delete(movie_id)
            case "edit":
                await catalogue.titles.edit(movie_id, DETAILS)
            case "report":
                await catalogue.versions.report_progress(
                    movie_id, one.version, stage="plan", percent=at, run_id=str(at)
                )
            case "accept":
                await catalogue.versions.cancel_older(movie_id, one.version)
            case "publish" | "refuse" | "fail" | "cancel":
                await VERSION_STEPS[TARGETS[step]](catalogue, one)
            case _:
                await UPLOAD_STEPS[step](catalogue, one)  # type: ignore[index]


TARGETS: dict[str, VersionState] = {
    "publish": "playable",
    "refuse": "refused",
    "fail": "failed",
    "cancel": "cancelled",
}
RARE = ["new version", "announce", "delete", "edit", *UPLOAD_STEPS]
OFTEN = ["ingest", "accept", "report", "publish", "publish", "refuse", "fail", "cancel", "unpublish", "republish"]
STEPS = st.sampled_from([*RARE, *OFTEN * 5])
INGEST = [("new version", -1), ("completing", -1), ("completed", -1)]
"""The step `ingest`: of the newest upload."""


# Without shrinking: each step is a transaction, and a walk found is short enough to read.
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(walked=st.lists(st.tuples(STEPS, st.integers(min_value=0, max_value=3)), min_size=12, max_size=30))
async def test_no_walk_of_any_steps_makes_a_change_that_the_table_forbids(
    catalogue: Catalogue, rows: Rows, walked: list[tuple[str, int]]
) -> None:
    first = await opened(catalogue)
    walk = Walk(catalogue, first.movie_id, [first])
    before = states(rows, first.movie_id)
    for step, at in (single for one in walked for single in (INGEST if one[0] == "ingest" else [one])):
        await refused_or_done(walk.take(step, at))
        after = states(rows, first.movie_id)
        forbidden = forbidden_changes(before, after)
        assert not forbidden, f"{step} made {forbidden}, which lifecycle forbids"
        assert len([one for one in after["title_version"].values() if one == lifecycle.PLAYABLE]) <= 1, (
            "two versions play"
        )
        before = after
