"""Identifiers: their form, their order, and the same id for the same name."""

from marquee.domain import ids


def test_each_kind_has_its_letter_and_no_other() -> None:
    made = {"m": ids.new_movie_id(), "u": ids.new_upload_id(), "a": ids.new_account_id(), "p": ids.new_profile_id()}
    made["s"] = ids.new_session_id()
    checks = {"m": ids.is_movie_id, "u": ids.is_upload_id, "a": ids.is_account_id, "p": ids.is_profile_id}
    checks["s"] = ids.is_session_id
    for kind, made_id in made.items():
        assert len(made_id) == 22
        for other, check in checks.items():
            assert check(made_id) is (kind == other), f"{made_id} taken for an id of the kind {other}"


def test_what_is_no_id_is_refused() -> None:
    for text in (
        "",
        "m_",
        "m_" + "0" * 19,
        "m_" + "0" * 21,
        "m_" + "W" * 20,
        "m_" + "z" * 20,
        ids.new_movie_id() + "\n",
    ):
        assert not ids.is_movie_id(text), f"{text!r} taken for a movie_id"


def test_later_ids_sort_later(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    moments = [0, 1, 31, 32, 1_000, 1_700_000_000_000, 1_700_000_000_001, (1 << 48) - 1]
    made = []
    for moment in moments:
        monkeypatch.setattr(ids.time, "time_ns", lambda moment=moment: moment * 1_000_000)
        made.append(ids.new_movie_id())
    assert made == sorted(made)


def test_ids_of_one_millisecond_differ() -> None:
    assert len({ids.new_movie_id() for _ in range(10_000)}) == 10_000


def test_a_derived_id_is_always_the_same() -> None:
    assert ids.movie_id_of("catalogue/1") == ids.movie_id_of("catalogue/1")
    assert ids.movie_id_of("catalogue/1") != ids.movie_id_of("catalogue/2")
    assert ids.is_movie_id(ids.movie_id_of("catalogue/1"))
