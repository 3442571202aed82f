"""The domain's rules that the web client applies too, as a committed TypeScript file: `web/src/domain/rules.ts`.

It holds the sentences of states, the states that end an upload, the chain's stages, the rights of each role and the rows of
genres. Their owners are `marquee/domain/lifecycle.py`, `roles.py`, `rows.py` and `marquee/documents/stages.py`.
`python -m api.web_rules` writes the file. `make lint` fails if the rules differ from it. The file is committed because the
client is built without Python.
"""

from typing import Final, get_args

import msgspec

from api.committed_file import PROJECT, write_or_check
from marquee.documents import STAGES
from marquee.domain.lifecycle import ENDED, FOLLOWED_SENTENCES, TITLE_SENTENCES
from marquee.domain.roles import NEEDED_ROLE, ROLES, Right, may
from marquee.domain.rows import GENRES, genre_row_id

RULES_FILE: Final = PROJECT / "web" / "src" / "domain" / "rules.ts"


def _literal(value: object) -> str:
    """A TypeScript literal. JSON is one, and keeps the order of the value."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def render() -> str:
    """The whole file. Its types of states and roles come from the OpenAPI document, so tsc finds a state without a sentence."""
    rights = {role: [right for right in NEEDED_ROLE if may(role, right)] for role in ROLES}
    return f"""\
/** Made from the domain's rules by `python -m api.web_rules`: change them there. `make lint` compares this file. */

import type {{ AccountOut, TitleOut, UploadStatus }} from "../api/schema";

export type Role = AccountOut["role"];
export type TitleState = TitleOut["state"];
export type FollowedState = UploadStatus["state"];
export type Right = {" | ".join(f'"{right}"' for right in get_args(Right))};

/** What people are told about a title in this state. */
export const TITLE_SENTENCES: Record<TitleState, string> = {_literal(TITLE_SENTENCES)};

/** What people are told about an upload in this state that has no reason of its own. */
export const FOLLOWED_SENTENCES: Record<FollowedState, string> = {_literal(FOLLOWED_SENTENCES)};

/** States that do not change by themselves: stop following the upload. */
export const ENDED: ReadonlySet<FollowedState> = new Set<FollowedState>({_literal(sorted(ENDED))});

/** The chain's stages, in order. */
export const STAGES = {_literal(STAGES)} as const;
export type Stage = (typeof STAGES)[number];

/** What an account with this role may do. */
export const RIGHTS: Record<Role, readonly Right[]> = {_literal(rights)};

/** The row of each genre that has one. */
export const GENRE_ROWS: Readonly<Record<string, string>> = {_literal({genre: genre_row_id(genre) for genre in GENRES})};
"""


def main() -> None:
    """Write the file, or check it."""
    write_or_check(RULES_FILE, render(), subject="The rules for the web client", module="api.web_rules")


if __name__ == "__main__":
    main()
