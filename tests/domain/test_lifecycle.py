"""States of titles, versions and uploads: which changes are allowed, and what follows from them."""

import re
from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain import lifecycle
from marquee.domain.lifecycle import (
    TITLE_BECOMES,
    UPLOAD_BECOMES,
    VERSION_BECOMES,
    FollowedState,
    TitleState,
    UploadState,
    VersionState,
    derived_title_state,
    may_become,
    sources,
)

TABLES: dict[str, tuple[Any, Mapping[Any, frozenset[Any]]]] = {
    "titles": (TitleState, TITLE_BECOMES),
    "versions": (VersionState, VERSION_BECOMES),
    "uploads": (UploadState, UPLOAD_BECOMES),
}
FINAL = {
    "titles": set(),
    "versions": {"superseded", "duplicate", "cancelled"},
    "uploads": {"completed", "aborted", "abandoned"},
}


def words(literal: Any) -> set[str]:
    return set(get_args(literal))


@pytest.mark.parametrize("kind", TABLES)
def test_every_state_is_in_the_table_and_becomes_states_that_exist(kind: str) -> None:
    literal, becomes = TABLES[kind]
    assert set(becomes) == words(literal)
    for state, following in becomes.items():
        assert following <= words(literal), f"{state} becomes a word that is no state of {kind}"
        assert state not in following, f"{state} -> {state} is no transition"


@pytest.mark.parametrize("kind", TABLES)
def test_nothing_leads_out_of_a_final_state(kind: str) -> None:
    _, becomes = TABLES[kind]
    assert {state for state, following in becomes.items() if not following} == FINAL[kind]


@pytest.mark.parametrize("kind", TABLES)
@given(data=st.data())
def test_sources_and_transitions_say_the_same(kind: str, data: st.DataObject) -> None:
    _, becomes = TABLES[kind]
    state, target = (data.draw(st.sampled_from(sorted(becomes))) for _ in range(2))
    assert may_become(becomes, state, target) == (state == target or target in becomes[state])
    assert (state in sources(becomes, target)) == may_become(becomes, state, target)


def test_every_state_has_a_sentence() -> None:
    assert set(lifecycle.TITLE_SENTENCES) == words(TitleState)
    assert set(lifecycle.FOLLOWED_SENTENCES) == words(FollowedState)
    for sentence in (*lifecycle.TITLE_SENTENCES.values(), *lifecycle.FOLLOWED_SENTENCES.values()):
        assert re.fullmatch(r"[A-Z].*\.", sentence), f"{sentence!r} is no sentence"


def test_what_each_state_allows() -> None:
    assert {"playable", "announced", "ingesting"} == lifecycle.VISIBLE_TITLES
    assert {"playable", "announced"} == lifecycle.PUBLISHED_TITLES
    assert {"unpublished", "deleted"} == lifecycle.WITHDRAWN_TITLES
    assert {"ingesting", "failed", "playable", "superseded"} == lifecycle.PUBLISHABLE_VERSIONS
    assert {"playable", "superseded", "refused", "duplicate", "cancelled"} == lifecycle.CHUNK_SETTLED_VERSIONS
    assert words(FollowedState) - lifecycle.ENDED == {"uploading", "ingesting"}
    assert {"playable"} == lifecycle.ENDED - lifecycle.NEVER_PLAYABLE
    assert {state for state in UPLOAD_BECOMES if lifecycle.ended_early(state)} == {"aborted", "abandoned"}


def test_who_revives_a_version_is_who_may_become_ingesting() -> None:
    revived = lifecycle.REVIVED_BY_REPORT | lifecycle.REVIVED_BY_NEW_RUN
    assert revived == sources(VERSION_BECOMES, "ingesting") - lifecycle.ONGOING_VERSIONS


TITLES = st.sampled_from(get_args(TitleState))
VERSIONS = st.lists(st.sampled_from(get_args(VersionState)), max_size=6)


@given(TITLES, VERSIONS, st.booleans(), st.booleans())
def test_a_derived_state_is_one_that_the_title_may_have(
    current: TitleState, versions: list[VersionState], active: bool, announced: bool
) -> None:
    derived = derived_title_state(current, versions, has_active_version=active, announced=announced)
    if current in lifecycle.WITHDRAWN_TITLES:
        assert derived == current, "a person's decision was overruled"
    elif active:
        assert derived == "playable", "a title with an active version does not play"
    else:
        assert derived in {"announced", "ingesting", "refused", "failed", "cancelled"}
        assert (derived == "ingesting") == bool(lifecycle.ONGOING_VERSIONS & set(versions))
        ended = (lifecycle.UNUSED_VERSIONS - {"cancelled"}) & set(versions)
        assert (derived == "announced") <= (not ended), "how a version ended is not told"
        if derived == "cancelled":
            assert "cancelled" in versions
            assert not ended
            assert not announced


@given(TITLES, VERSIONS, st.booleans(), st.booleans())
def test_deriving_twice_changes_nothing(
    current: TitleState, versions: list[VersionState], active: bool, announced: bool
) -> None:
    once = derived_title_state(current, versions, has_active_version=active, announced=announced)
    assert derived_title_state(once, versions, has_active_version=active, announced=announced) == once
