"""The words of the priority: stored in jobs and in the tags of runs, so another word would lose what is queued."""

from marquee.domain.priority import PRIORITY_TAG, priority_of


def test_a_hot_title_is_a_release_and_any_other_a_backfill() -> None:
    assert (PRIORITY_TAG, priority_of(hot=True), priority_of(hot=False)) == ("marquee/priority", "release", "backfill")
