"""The engineers' list of titles: its order, its filters, what it says of each title, and that a page is one index range."""

from datetime import UTC, datetime

import psycopg
import pytest

from marquee.domain.ids import movie_id_of
from marquee.errors import TitleUnknown
from marquee.notes import note
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.postgres import listing
from marquee.stores.catalogue.values import ListedTitle, TitleDetails, TitlePosition, TitleQuery
from tests.harness.catalogue.steps import ingesting, opened, playable, publication_of, renamed


async def listed(catalogue: Catalogue, query: TitleQuery | None = None, *, limit: int = 3) -> list[ListedTitle]:
    """All pages."""
    found: list[ListedTitle] = []
    after: TitlePosition | None = None
    while page := await catalogue.titles.page(query or TitleQuery(), limit=limit, after=after):
        assert len(page) <= limit
        found += page
        after = TitlePosition(page[-1].changed_at, page[-1].title.movie_id)
    return found


async def ids(catalogue: Catalogue, query: TitleQuery | None = None, *, limit: int = 3) -> list[str]:
    return [one.title.movie_id for one in await listed(catalogue, query, limit=limit)]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_last_change_comes_first_and_each_title_once(catalogue: Catalogue, limit: int) -> None:
    first, second, third = [await playable(catalogue, renamed(f"Film {number}")) for number in range(3)]
    assert await ids(catalogue, limit=limit) == [third, second, first]
    await catalogue.titles.edit(first, renamed("Edited"))
    assert await ids(catalogue, limit=limit) == [first, third, second], "an edit does not bring a title to the front"
    await catalogue.titles.unpublish(second)
    again = await ingesting(catalogue, third)
    assert await ids(catalogue, limit=limit) == [third, second, first], "a new version is no change"
    await catalogue.versions.report_progress(third, again.version, stage="plan", percent=7)
    await catalogue.versions.set_notes(second, 1, {"source": [note("no-sound")]})
    assert await ids(catalogue, limit=limit) == [third, second, first], "progress or notes moved a title"
    await catalogue.titles.edit(second, renamed("Edited"))
    await catalogue.versions.refuse(third, again.version, "No picture.")
    assert await ids(catalogue, limit=limit) == [third, second, first], "the end of a version is no change"


async def test_titles_of_one_moment_all_come(catalogue: Catalogue) -> None:
    """A batch of announced titles is one transaction, so they have one time of change."""
    made = [movie_id_of(str(number)) for number in range(7)]
    await catalogue.titles.announce([(movie_id, TitleDetails(f"Film {movie_id}")) for movie_id in made])
    assert await ids(catalogue, limit=2) == sorted(made, reverse=True)


async def test_each_title_says_its_state_its_newest_version_who_uploaded_it_and_why_it_ended(
    catalogue: Catalogue, url: str
) -> None:
    announced = movie_id_of("announced")
    await catalogue.titles.announce([(announced, TitleDetails("Announced"))])
    refused = await ingesting(catalogue)
    await catalogue.versions.set_notes(refused.movie_id, 1, {"source": [note("no-sound")]})
    await catalogue.versions.refuse(refused.movie_id, 1, "It has no picture.")
    failed = await ingesting(catalogue)
    await catalogue.versions.fail(failed.movie_id, 1, "The disk is full.")
    shown = await playable(catalogue)
    await catalogue.versions.set_notes(shown, 1, {"source": [note("clock-repaired")]})
    replacement = await ingesting(catalogue, shown)
    await catalogue.versions.set_notes(shown, replacement.version, {"source": [note("no-sound")]})
    await catalogue.versions.report_progress(shown, 2, stage="renditions", percent=31.5, speed=2.5)
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO account (account_id, email, email_folded, password_hash, role) VALUES (%s, %s, %s, '', 'engineer')",
            [failed.account_id, "Ed@Example.org", "ed@example.org"],
        )
    by_id = {one.title.movie_id: one for one in await listed(catalogue)}
    assert by_id[announced].newest is None
    assert by_id[announced].title.state == "announced"
    end = by_id[refused.movie_id]
    assert end.newest is not None
    assert (end.title.state, end.newest.reason) == ("refused", "It has no picture.")
    assert [one.code for one in end.notes] == ["no-sound"]
    why = by_id[failed.movie_id]
    assert why.newest is not None
    assert (why.title.state, why.newest.reason, why.uploaded_by) == ("failed", "The disk is full.", "Ed@Example.org")
    work = by_id[shown]
    assert work.newest is not None
    assert (work.title.state, work.title.active_version) == ("playable", 1)
    newest = work.newest
    assert (newest.version, newest.state, newest.stage, newest.percent, newest.speed) == (
        2,
        "ingesting",
        "renditions",
        31.5,
        2.5,
    )
    assert [one.code for one in work.notes] == ["clock-repaired"], "the notes are not those of the film that plays"
    for movie_id, one in by_id.items():
        assert await catalogue.titles.listed(movie_id) == one, "one title and its place in the list differ"


async def test_the_filters_find_what_they_say(catalogue: Catalogue) -> None:
    plain = await playable(catalogue, renamed("Plain"))
    noted = await playable(catalogue, renamed("Noted"))
    await catalogue.versions.set_notes(noted, 1, {"source": [note("no-sound")], "plan": []})
    replaced = await playable(catalogue, renamed("Replaced"))
    working = await ingesting(catalogue, replaced)
    waiting = await opened(catalogue, details=renamed("Waiting"))
    refused = await ingesting(catalogue, details=renamed("Refused"))
    await catalogue.versions.refuse(refused.movie_id, 1, "No picture.")
    gone = await playable(catalogue, renamed("Gone"))
    await catalogue.titles.delete(gone)
    assert await ids(catalogue) == [refused.movie_id, waiting.movie_id, replaced, noted, plain]
    assert await ids(catalogue, TitleQuery(state="playable")) == [replaced, noted, plain]
    assert await ids(catalogue, TitleQuery(state="refused")) == [refused.movie_id]
    assert await ids(catalogue, TitleQuery(state="deleted")) == [gone]
    assert await ids(catalogue, TitleQuery(with_notes=True)) == [noted]
    assert await ids(catalogue, TitleQuery(in_work=True)) == [waiting.movie_id, replaced]
    assert await ids(catalogue, TitleQuery(state="playable", in_work=True)) == [replaced]
    assert await ids(catalogue, TitleQuery(state="refused", with_notes=True)) == []
    # A newer version takes the notes' place once it plays; an ended one is in work no more.
    await catalogue.versions.publish(publication_of(replaced, working.version))
    await catalogue.uploads.end(waiting.upload_id, "aborted")
    again = await ingesting(catalogue, noted)
    await catalogue.versions.publish(publication_of(noted, again.version))
    assert await ids(catalogue, TitleQuery(in_work=True)) == []
    assert await ids(catalogue, TitleQuery(with_notes=True)) == [], "notes of a version that no longer plays count"
    await catalogue.versions.set_notes(noted, again.version, {"source": [note("no-sound")]}, whole=True)
    assert await ids(catalogue, TitleQuery(with_notes=True)) == [noted]
    await catalogue.versions.set_notes(noted, again.version, {"source": []}, whole=True)
    assert await ids(catalogue, TitleQuery(with_notes=True)) == [], "notes that are gone count"


async def test_an_older_version_that_ends_late_is_in_work_no_more(catalogue: Catalogue) -> None:
    first = await ingesting(catalogue)
    second = await ingesting(catalogue, first.movie_id)
    await catalogue.versions.publish(publication_of(first.movie_id, second.version))
    assert await ids(catalogue, TitleQuery(in_work=True)) == [first.movie_id]
    await catalogue.versions.publish(publication_of(first.movie_id, first.version))
    assert await ids(catalogue, TitleQuery(in_work=True)) == []


WORDS = {
    "Léon: The Professional": ["leon", "LÉON", "prof", "the prof", "l", "professional leon"],
    "S.W.A.T.": ["swat", "S.W.A.T", "sw"],
    "Matrix, The": ["the matrix", "Matrix, The"],
    "夜 警察": ["警", "夜警"],
    "שלום עולם": ["שלום", "עול"],
    "🎬🎬": ["🎬🎬", "🎬"],
    "It's \\ 'quoted' & !odd | <-> :*": ["its", "'quoted", "odd", "!odd &", "quoted:*"],
    "Straße": ["strasse", "STRASSE"],
}


async def test_each_word_typed_begins_a_word_of_the_title(catalogue: Catalogue) -> None:
    await catalogue.titles.announce([(movie_id_of(title), TitleDetails(title)) for title in WORDS])
    for title, queries in WORDS.items():
        for typed in queries:
            assert movie_id_of(title) in await ids(catalogue, TitleQuery(text=typed)), f"{typed} does not find {title}"
    for typed in ("matrixes", "eon", "leon matrix", "zzz", "'; DROP TABLE title; --"):
        assert await ids(catalogue, TitleQuery(text=typed)) == [], f"{typed} finds a title"
    assert (
        len(await ids(catalogue, TitleQuery(text=""))) == len(await ids(catalogue, TitleQuery(text="  "))) == len(WORDS)
    )
    renamed_id = movie_id_of("S.W.A.T.")
    await catalogue.titles.edit(renamed_id, TitleDetails("Another"))
    assert await ids(catalogue, TitleQuery(text="another")) == [renamed_id]
    assert await ids(catalogue, TitleQuery(text="swat")) == []


async def test_a_deleted_or_unknown_title_is_not_listed_by_its_id(catalogue: Catalogue) -> None:
    gone = await playable(catalogue)
    await catalogue.titles.delete(gone)
    for movie_id in (gone, movie_id_of("never")):
        with pytest.raises(TitleUnknown):
            await catalogue.titles.listed(movie_id)


PLANS = {
    "title_changed_idx": TitleQuery(),
    "title_state_changed_idx": TitleQuery(state="refused"),
    "title_noted_idx": TitleQuery(with_notes=True),
    "title_in_work_idx": TitleQuery(in_work=True),
    "title_words_idx": TitleQuery(text="rare177"),
}


@pytest.mark.parametrize(("index", "query"), PLANS.items(), ids=PLANS)
async def test_a_page_is_one_index_range_at_any_depth(
    catalogue: Catalogue, url: str, index: str, query: TitleQuery
) -> None:
    await catalogue.titles.announce([(movie_id_of(str(n)), TitleDetails(f"The film rare{n}")) for n in range(4000)])
    after = TitlePosition(datetime.now(UTC), movie_id_of("1"))
    sql, parameters = listing.statement(query, limit=10, after=after)
    for name in sorted(parameters, key=len, reverse=True):
        sql = sql.replace(f":{name}", f"%({name})s")
    with psycopg.connect(url) as connection:
        connection.execute(
            """
            UPDATE title SET changed_at = now() - votes_of.place * interval '1 minute', noted = place % 20 = 0,
                             in_work = place % 20 = 1, state = CASE WHEN place % 20 = 2 THEN 'refused' ELSE state END
            FROM (SELECT movie_id, row_number() OVER () AS place FROM title) AS votes_of
            WHERE votes_of.movie_id = title.movie_id
            """
        )
        connection.execute("ANALYZE title")
        # A table of this size fits the memory. One of 600,000 titles is never read whole.
        connection.execute("SET enable_seqscan = off")
        lines = connection.execute(f"EXPLAIN {sql}", parameters).fetchall()  # type: ignore[arg-type]
    plan = "\n".join(line for (line,) in lines)
    assert index in plan, f"PostgreSQL reads more than the page:\n{plan}"
    inner = plan.partition("Limit")[2]
    assert query.text or "Sort Key" not in inner, f"PostgreSQL sorts the list:\n{plan}"


AFTER_A_BULK_DELETION = {
    "title_changed_idx": TitleQuery(),
    "title_noted_idx": TitleQuery(with_notes=True),
    "title_in_work_idx": TitleQuery(in_work=True),
}


@pytest.mark.parametrize(("index", "query"), AFTER_A_BULK_DELETION.items(), ids=AFTER_A_BULK_DELETION)
async def test_a_page_does_not_walk_over_titles_that_were_deleted_in_bulk(
    catalogue: Catalogue, url: str, index: str, query: TitleQuery
) -> None:
    """The deleted ones changed last. PostgreSQL chooses the plan itself, with the statistics of 40,000 titles."""
    sql, parameters = listing.statement(query, limit=10, after=None)
    for name in parameters:
        sql = sql.replace(f":{name}", f"%({name})s")
    with psycopg.connect(url) as connection:
        connection.execute(
            """
            INSERT INTO title (movie_id, title, genres, people, aka, state, revision, noted, in_work, changed_at)
            SELECT 'm' || n, 'The film', '{}', '{}', '{}', CASE WHEN n > 10000 THEN 'deleted' ELSE 'announced' END, n,
                   n % 2 = 0, n % 2 = 1, now() + n * interval '1 second' FROM generate_series(1, 40000) AS n
            """
        )
        connection.execute("ANALYZE title")
        lines = connection.execute(
            f"EXPLAIN (ANALYZE, TIMING off) {sql}",
            parameters,  # type: ignore[arg-type]
        ).fetchall()
    plan = "\n".join(line for (line,) in lines)
    assert index in plan, f"PostgreSQL reads more than the page:\n{plan}"
    assert "Rows Removed by Filter" not in plan, f"a page walks over titles that are not in the list:\n{plan}"
