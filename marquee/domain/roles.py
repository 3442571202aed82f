"""Roles of accounts, and the lowest role that each right needs. A role has every right of the roles below it.

`Role` is stored (the table's CHECK is made of it), stands in access tokens and in the API's schema.
"""

from typing import Final, Literal, TypeGuard, get_args

Role = Literal["viewer", "engineer", "operator"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the lowest to the highest."""
FIRST_ROLE: Final[Role] = "viewer"
"""Of an account that somebody registers."""

Right = Literal["watch", "manage_titles", "see_hidden_titles", "touch_uploads_of_others"]

NEEDED_ROLE: Final[dict[Right, Role]] = {
    "watch": "viewer",
    # Uploads, edits, taking out and back, deleting.
    "manage_titles": "engineer",
    # Titles in a state that viewers do not know of: `lifecycle` says which.
    "see_hidden_titles": "engineer",
    "touch_uploads_of_others": "operator",
}


def is_role(word: object) -> TypeGuard[Role]:
    return word in ROLES


def may(role: Role, right: Right) -> bool:
    """Whether an account of this role has a right."""
    return ROLES.index(role) >= ROLES.index(NEEDED_ROLE[right])
