"""Public addresses: each is one that the edges' configuration lets through, and only one module makes them."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from marquee.cdn.addresses import EdgeAddresses, edge_of, public_address, title_page
from marquee.documents import keys
from marquee.settings import Settings

PROJECT = Path(__file__).parents[2]
TEMPLATE = (PROJECT / "deploy" / "templates" / "nginx" / "edge.conf.jinja").read_text()
LOCATIONS = [re.compile(found.replace("(?<", "(?P<")) for found in re.findall(r'location ~ "(\^[^"]+\$)"', TEMPLATE)]
EDGES = [f"http://edge-{number}.example" for number in range(3)]
SETTINGS = Settings(
    public_edge_urls=",".join(EDGES),
    public_url="https://marquee.example",
    edge_secret=SecretStr("a secret of this test"),
)
ADDRESSES = EdgeAddresses(SETTINGS)
MOVIES = st.text("0123456789abcdefghijklmnopqrstuv", min_size=20, max_size=20).map("m_{}".format)
SESSIONS = st.none() | MOVIES.map(lambda movie_id: movie_id.replace("m_", "v_"))
VERSIONS = st.integers(min_value=1, max_value=10_000)
FILES = st.sampled_from(
    [
        keys.MASTER_PLAYLIST,
        keys.MPD,
        f"{keys.track_folder('video', '1080p')}/seg_00001.m4s",
        f"{keys.track_folder('audio', 'en-2')}/{keys.INIT_SEGMENT}",
        f"{keys.track_folder('text', 'pt-br-forced')}/{keys.CAPTIONS}",
    ]
)
IMAGES = st.sampled_from([keys.poster(640, 360), keys.SPRITE_INDEX, keys.sprite_sheet(1), keys.sprite_sheet(12)])


def served(path: str) -> dict[str, str]:
    """What an edge's configuration reads in a path. Fails where it would refuse the path."""
    found = [match for location in LOCATIONS if (match := location.match(path))]
    assert len(found) == 1, f"{len(found)} locations of edge.conf.jinja take {path}"
    return found[0].groupdict()


def test_the_template_has_a_location_for_streams_and_one_for_images() -> None:
    assert len(LOCATIONS) == 2, "edge.conf.jinja has other locations than this module knows"


@given(MOVIES, VERSIONS, FILES, SESSIONS)
def test_an_edge_finds_the_object_of_a_streams_address(
    movie_id: str, version: int, file: str, session_id: str | None
) -> None:
    key = keys.published_prefix(movie_id, version) + file
    address = ADDRESSES.stream(movie_id, version, key, expires_at=1_900_000_000, session_id=session_id)
    assert address.startswith(edge_of(movie_id, EDGES) + "/v/")
    read = served(urlsplit(address).path)
    assert f"{read['movie']}/{read['version']}/{read['file']}" == key, "the edge would ask for another object"
    assert (read["expires"], read["session"]) == ("1900000000", session_id)


@given(MOVIES, VERSIONS, IMAGES)
def test_an_edge_finds_the_object_of_an_images_address(movie_id: str, version: int, file: str) -> None:
    key = keys.images_prefix(movie_id, version) + file
    address = ADDRESSES.image(movie_id, key)
    assert address == f"{edge_of(movie_id, EDGES)}/{key}"
    assert served(urlsplit(address).path)["picture"] == key
    assert ADDRESSES.path(movie_id, version, key, expires_at=0) == f"/{key}", "an image needs no signature"


def test_no_image_has_no_address() -> None:
    assert ADDRESSES.image("m_1", None) is None


def test_a_titles_page_is_below_the_public_address() -> None:
    assert title_page(SETTINGS, "m_1") == "https://marquee.example/title/m_1"


def test_an_edges_address_follows_from_its_name() -> None:
    assert [public_address(SETTINGS, f"edge-{number}") for number in (1, 2, 3)] == EDGES
    assert public_address(SETTINGS, "edge-4") == "edge-4"
    assert public_address(SETTINGS, "elsewhere") == "elsewhere"


def test_a_lost_edge_moves_only_its_own_titles() -> None:
    edges = [f"http://edge-{number}" for number in range(4)]
    before = {f"m_{number}": edge_of(f"m_{number}", edges) for number in range(2000)}
    after = {movie_id: edge_of(movie_id, edges[:3]) for movie_id in before}
    assert all(after[movie_id] == edge for movie_id, edge in before.items() if edge != edges[3])
    shares = [list(before.values()).count(edge) for edge in edges]
    assert min(shares) > 400, f"the edges' shares of 2,000 titles are uneven: {shares}"


ALLOWED = {
    "marquee/cdn/addresses.py",
    "marquee/settings/__init__.py",
    # What a browser may load from: origins, not addresses.
    "marquee/platform/programs/edges.py",
    # Which edge a player may name in its events.
    "api/telemetry/service.py",
    "marquee/demo/viewers/sending.py",
}


@pytest.mark.parametrize("package", ["marquee", "api", "jobs", "assets", "orchestration"])
def test_no_other_module_makes_an_edges_address(package: str) -> None:
    makers = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / package).rglob("*.py")
        if re.search(r"settings\.edges\b|\bstream_path\(", path.read_text())
    }
    others = makers - ALLOWED - {"marquee/cdn/signed_paths.py"}
    assert not others, f"{sorted(others)} make addresses of edges: ask marquee/cdn/addresses.py"
