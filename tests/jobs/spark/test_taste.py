"""What a profile may like and what is like a title: on small catalogues, and proved on MovieLens."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from marquee.stores.analytics.library import LibraryTitle
from tests.conftest import SHARED_DATA

pytest.importorskip("scipy")

from jobs.spark import content, evaluate, proof
from jobs.spark.recommending import PARAMETERS, Factors, Interactions, factorised, similar_by_watching, suggestions
from jobs.spark.taste import similar_titles

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]


def _title(
    movie_id: str, title: str, *, playable: bool = True, popularity: float = 0, **fields: object
) -> LibraryTitle:
    values: dict[str, object] = {"year": None, "description": None, "genres": (), "people": (), **fields}
    return LibraryTitle(movie_id=movie_id, title=title, popularity=popularity, is_playable=playable, **values)  # type: ignore[arg-type]


LIBRARY = (
    _title(
        "m_alien",
        "Alien",
        year=1979,
        genres=("Horror", "Sci-Fi"),
        people=("Sigourney Weaver", "Ridley Scott"),
        popularity=9,
    ),
    _title("m_aliens", "Aliens", year=1986, genres=("Action", "Sci-Fi"), people=("Sigourney Weaver", "James Cameron")),
    _title(
        "m_bunny",
        "Big Buck Bunny",
        year=2008,
        genres=("Animation", "Comedy"),
        description="A large rabbit and three rodents",
    ),
    _title("m_sintel", "Sintel", year=2010, genres=("Animation", "Fantasy"), description="A girl looks for a dragon"),
    _title("m_dragon", "The Last Dragon", playable=False, description="Where is the dragon?"),
    _title("m_nothing", "0"),
)


def _near(titles: tuple[LibraryTitle, ...]) -> dict[str, list[str]]:
    return {
        titles[row].movie_id: [titles[other].movie_id for other, _ in near]
        for row, near in content.similar_by_content(titles)
    }


def test_titles_are_alike_by_people_genres_words_and_years() -> None:
    near = _near(LIBRARY)
    assert near["m_alien"][0] == "m_aliens"
    assert near["m_bunny"] == ["m_sintel"]
    assert near["m_dragon"] == ["m_sintel"], "a title that cannot be played has similar ones too"
    assert all("m_dragon" not in others for others in near.values()), "and is nobody's similar one"
    assert "m_nothing" not in near
    assert all(movie not in others for movie, others in near.items()), "no title is like itself"


def test_a_library_without_a_playable_title_has_no_similar_ones() -> None:
    assert _near(tuple(_title(f"m_{number}", "Alien", playable=False, year=1979) for number in range(3))) == {}


def test_candidates_of_a_feature_are_bounded() -> None:
    """All titles share everything: without the bound each would be compared with each."""
    count = content.POSTINGS + 300
    titles = [
        _title(f"m_{number:04d}", "One", genres=("Drama",), year=1990, popularity=count - number)
        for number in range(count)
    ]
    postings = content._best_known(content.matrix(titles))
    assert int(np.diff(postings.indptr).max()) == content.POSTINGS
    near = dict(content.similar_by_content(titles))
    assert len(near) == count
    assert all(len(others) == content.SIMILAR for others in near.values())
    assert near[count - 1][0][0] == 0, "of titles that are as alike, the best known one comes first"


def _watched(*pairs: tuple[str, str]) -> Interactions:
    profiles, movies = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    ordered = sorted(pairs)
    return Interactions(
        profiles,
        movies,
        np.array([profiles.index(profile) for profile, _ in ordered], np.int32),
        np.array([movies.index(movie) for _, movie in ordered], np.int32),
        np.ones(len(ordered), np.float32),
        np.arange(len(ordered), dtype=np.int64),
    )


def test_titles_are_alike_by_who_watched_them_and_content_fills_up() -> None:
    fans = [(f"p_{number}", movie) for number in range(5) for movie in ("m_alien", "m_sintel")]
    interactions = _watched(*fans, ("p_0", "m_bunny"), ("p_1", "m_bunny"))
    near = similar_by_watching(interactions, 20)
    assert near == {
        "m_alien": [("m_sintel", pytest.approx(5 / 15, abs=1e-6))],
        "m_sintel": [("m_alien", pytest.approx(5 / 15, abs=1e-6))],
    }
    rows = list(similar_titles(interactions, LIBRARY))
    assert next(row[2:] for row in rows if row[0] == "m_alien") == (
        "m_sintel",
        pytest.approx(5 / 15, abs=1e-6),
        "watching",
    )
    assert [(rank, other, basis) for movie, rank, other, _, basis in rows if movie == "m_alien"] == [
        (1, "m_sintel", "watching"),
        (2, "m_aliens", "content"),
    ]
    assert {row[0] for row in rows} == {title.movie_id for title in LIBRARY} - {"m_nothing"}


def test_suggestions_are_shown_titles_that_the_profile_has_not_watched() -> None:
    interactions = _watched(("p_one", "m_a"), ("p_two", "m_a"), ("p_two", "m_b"), ("p_two", "m_c"), ("p_two", "m_d"))
    factors = Factors(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.9, 0.1], [0.5, 0.0], [-1.0, 0.0]]))
    found = list(suggestions(interactions, factors, frozenset({"m_a", "m_b", "m_d"})))
    assert [row[:4] for row in found] == [("p_one", "m_a", 1, "m_b")], "not watched, playable, and above zero"


def _two_camps() -> Interactions:
    pairs = [
        (f"p_{camp}{person}", f"m_{camp}{movie}")
        for camp in "xy"
        for person in range(8)
        for movie in range(8)
        if person != movie
    ]
    return _watched(*pairs)


def test_als_tells_two_camps_apart_and_gives_the_same_twice(spark: "SparkSession") -> None:
    interactions = _two_camps()
    parameters = {**PARAMETERS, "rank": 4, "iterations": 3}
    shown = frozenset(interactions.movies)
    found = list(suggestions(interactions, factorised(spark, interactions, parameters), shown))
    first = {row[0]: row[3] for row in found if row[2] == 1}
    assert {profile: movie for profile, movie in first.items() if profile.startswith("p_x")} == {
        f"p_x{n}": f"m_x{n}" for n in range(8)
    }
    assert list(suggestions(interactions, factorised(spark, interactions, parameters), shown)) == found


def test_the_gate_is_open_for_the_proved_parameters_alone(tmp_path: Path) -> None:
    assert proof.is_proved(PARAMETERS), "make the proof again: python -m jobs.spark.evaluate --write"
    assert not proof.is_proved({**PARAMETERS, "rank": 8})
    assert not proof.is_proved(PARAMETERS, tmp_path / "missing.json")
    stored = json.loads(proof.PROOF.read_text())
    stored["popularity"]["high"] = stored["taste"]["low"]
    (tmp_path / "touching.json").write_text(json.dumps(stored))
    assert not proof.is_proved(PARAMETERS, tmp_path / "touching.json"), "intervals that touch prove nothing"


def test_the_last_fifth_of_each_persons_ratings_is_held_out() -> None:
    ratings = [("a", f"{number}", 1.0, number) for number in range(10)] + [("b", "8", 0.4, 1), ("b", "0", 0.2, 2)]
    interactions, held = evaluate.split(ratings)
    assert interactions.profiles == ["a", "b"]
    assert len(interactions.movie) == 9
    number = {movie: place for place, movie in enumerate(interactions.movies)}
    assert held[1] == {number["0"]}
    assert held[0] == {number["8"], -2}, "9 was watched by nobody before: it counts as missed"
    assert evaluate.recall([[number["8"]], [number["8"]]], held)["recall"] == 0.25


@pytest.mark.soak
def test_taste_is_proved_on_movielens(spark: "SparkSession") -> None:
    folder = SHARED_DATA / "events"
    if not folder.is_dir():
        pytest.skip("MovieLens (../shared/data/events) is not beside this checkout")
    found = evaluate.evaluated(spark, folder)
    assert proof.is_above(found["taste"], found["popularity"]), found
    stored = json.loads(proof.PROOF.read_text())
    assert found["taste"]["recall"] == pytest.approx(stored["taste"]["recall"], abs=0.005), (
        "the stored proof is of these parameters"
    )
    assert found["popularity"] == stored["popularity"]
