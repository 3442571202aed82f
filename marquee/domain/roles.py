"""Roles of accounts, and the lowest role that has each right. A role has all rights of the roles below it.

`Role` is stored (the table's CHECK is made from it), is a claim of access tokens, and is in the API's schema. The API's
guard asks `may` before every handler.
"""

from typing import Final, Literal, TypeGuard, get_args

Role = Literal["viewer", "engineer", "operator"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the lowest to the highest."""
FIRST_ROLE: Final[Role] = "viewer"
"""Role of a newly registered account."""

Right = Literal[
    "watch",
    "manage_titles",
    "see_hidden_titles",
    "see_notes",
    "see_engines",
    "see_reports",
    "touch_uploads_of_others",
]
"""What an endpoint may ask for."""

NEEDED_ROLE: Final[dict[Right, Role]] = {
    "watch": "viewer",
    # Uploading, editing, unpublishing, republishing, deleting.
    "manage_titles": "engineer",
    # Titles in a state outside `VISIBLE_TITLES` of `marquee.domain.lifecycle`.
    "see_hidden_titles": "engineer",
    # All notes of a title. Viewers see those that concern them.
    "see_notes": "engineer",
    # Which engines stand behind the API, and which of them does not answer.
    "see_engines": "engineer",
    # What viewers watch, search and suffer, over all of them.
    "see_reports": "engineer",
    "touch_uploads_of_others": "operator",
}


def is_role(word: object) -> TypeGuard[Role]:
    """Whether a value, such as a token's claim, is a role."""
    return word in ROLES


def may(role: Role, right: Right) -> bool:
    """Whether an account with this role has the right."""
    return ROLES.index(role) >= ROLES.index(NEEDED_ROLE[right])
