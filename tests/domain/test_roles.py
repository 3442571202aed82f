"""Roles: a right belongs to a role and to all roles above it.

The names are the same wherever they are stored or sent.
"""

import json
import re
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.roles import FIRST_ROLE, NEEDED_ROLE, ROLES, Right, Role, is_role, may

PROJECT = Path(__file__).parents[2]


@given(st.sampled_from(ROLES), st.sampled_from(ROLES), st.sampled_from(get_args(Right)))
def test_a_higher_role_has_every_right_of_a_lower_one(one: Role, other: Role, right: Right) -> None:
    if ROLES.index(one) <= ROLES.index(other) and may(one, right):
        assert may(other, right), f"{other} lacks the right to {right}, which {one} has"


def test_every_right_needs_a_role_that_exists() -> None:
    assert set(NEEDED_ROLE) == set(get_args(Right))
    assert set(NEEDED_ROLE.values()) <= set(ROLES)


def test_what_each_role_may() -> None:
    rights = {role: {right for right in NEEDED_ROLE if may(role, right)} for role in ROLES}
    assert rights["viewer"] == {"watch"}
    assert rights["engineer"] == {
        "watch",
        "manage_titles",
        "see_hidden_titles",
        "see_notes",
        "see_engines",
        "see_reports",
    }
    assert rights["operator"] == {*rights["engineer"], "touch_uploads_of_others"}
    assert FIRST_ROLE == "viewer", "whoever registers gets more than a viewer's rights"


@given(st.one_of(st.none(), st.integers(), st.lists(st.text()), st.text()))
def test_a_token_with_another_word_has_no_role(word: object) -> None:
    assert is_role(word) == (word in ("viewer", "engineer", "operator"))


def test_the_openapi_document_has_the_same_roles() -> None:
    """The web client's types are made from the document."""
    document = json.loads((PROJECT / "api" / "openapi.json").read_text())
    stated = document["components"]["schemas"]["AccountOut"]["properties"]["role"]["enum"]
    assert sorted(stated) == sorted(ROLES)


def test_the_database_holds_the_same_roles() -> None:
    """tests/stores/schema compares the migrations' CHECKs with the tables'; this test compares the roles' names."""
    versions = PROJECT / "marquee" / "stores" / "schema" / "migrations" / "versions"
    stated = [
        found
        for path in sorted(versions.glob("*.py"))
        for found in re.findall(r"role IN \(([^)]+)\)", path.read_text())
    ]
    assert stated, "no migration checks the roles"
    assert tuple(re.findall(r"'(\w+)'", stated[-1])) == ROLES
