"""States in SQL: lists made of `marquee.domain.lifecycle`, so that no statement retypes a rule.

They are constants of a statement, not parameters: PostgreSQL uses a partial index (`WHERE state = 'playable'`) only for a
statement that says the same constant. A list of one word is the same to it as the word.
"""

from collections.abc import Collection
from typing import Final

from marquee.domain import lifecycle


def sql_list(states: Collection[str]) -> str:
    """`('playable', 'superseded')`; the words are the program's own."""
    return "(" + ", ".join(f"'{state}'" for state in sorted(states)) + ")"


PLAYABLE: Final = sql_list({lifecycle.PLAYABLE})
DELETED: Final = sql_list(lifecycle.DELETED_TITLES)
WITHDRAWN: Final = sql_list(lifecycle.WITHDRAWN_TITLES)
RUNNABLE: Final = sql_list(lifecycle.RUNNABLE_VERSIONS)
CANCELLED: Final = sql_list({lifecycle.CANCELLED})
CONTENT_OWNERS: Final = sql_list(lifecycle.CONTENT_OWNERS)
VERSIONS_OF_RUNS: Final = sql_list(lifecycle.VERSIONS_OF_RUNS)
TAKES_PARTS: Final = sql_list(lifecycle.PART_UPLOADS)
ENDED_EARLY: Final = sql_list(lifecycle.EARLY_ENDS)
UNFINISHED: Final = sql_list(lifecycle.UNFINISHED_UPLOADS)
