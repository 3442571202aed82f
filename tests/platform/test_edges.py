"""An edge serves requests with a signed path only, and caches files under the path below the token."""

import time
from collections.abc import Iterator

import httpx
import pytest

from marquee.cdn.signed_paths import stream_path
from marquee.documents.keys import images_prefix
from marquee.domain.ids import new_playback_id
from marquee.errors import SettingsInvalid
from marquee.settings import Settings
from marquee.stores.objects.origin import origin
from tests.harness.s3 import BODY, IMAGE_FILES, STREAM_FILES, UNPUBLISHED, s3_client, store_every_kind

MOVIE = "m_00000000000000000001"
OTHER = "m_00000000000000000002"
KEPT = UNPUBLISHED
"""A title with a file of every kind; who has a signed path reads it, whatever the catalogue says of it meanwhile."""
AFTER = f"images/{MOVIE}/v1/sprite.jpg"
SEGMENT = b"0123456789" * 5000


@pytest.fixture(scope="module")
def published(platform: Settings) -> Settings:
    client = s3_client(platform, "s3_published")
    for key in (f"{MOVIE}/v1/video/360/1.m4s", f"{OTHER}/v1/video/360/1.m4s", f"images/{MOVIE}/v1/poster.jpg", AFTER):
        client.put_object(Bucket="marquee-published", Key=key, Body=SEGMENT, CacheControl="no-store")
    return platform


@pytest.fixture
def edge(published: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=published.edges[0]) as client:
        yield client


def signed(settings: Settings, movie_id: str = MOVIE, *, seconds: int = 600, session_id: str | None = None) -> str:
    secret = settings.edge_secret.get_secret_value()
    return stream_path(secret, movie_id, 1, expires_at=int(time.time()) + seconds, session_id=session_id)


def test_the_second_viewer_is_served_from_the_cache(published: Settings, edge: httpx.Client) -> None:
    first = edge.get(signed(published) + "video/360/1.m4s")
    second = edge.get(signed(published, seconds=900) + "video/360/1.m4s")
    assert (first.status_code, first.headers["x-cache"], first.content == SEGMENT) == (200, "MISS", True)
    assert (second.status_code, second.headers["x-cache"]) == (200, "HIT"), "the token must not be in the cache key"
    assert second.headers["access-control-allow-origin"] == "*"
    assert "private" in second.headers["cache-control"]


def test_every_session_of_a_title_shares_one_entry(published: Settings, edge: httpx.Client) -> None:
    file = "video/360/9.m4s"
    s3_client(published, "s3_published").put_object(Bucket="marquee-published", Key=f"{OTHER}/v1/{file}", Body=SEGMENT)
    sessions = (new_playback_id(), new_playback_id(), None)
    answers = [edge.get(signed(published, OTHER, session_id=each) + file) for each in sessions]
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT", "HIT"], "a session is in the cache key"
    assert all(answer.content == SEGMENT for answer in answers)
    asked = edge.get(signed(published, OTHER, session_id=sessions[0]) + file + "?CMCD=bl%3D3000%2Csid%3D%22x%22&a=b")
    assert asked.headers["x-cache"] == "HIT", "a player's query is in the cache key"


def test_a_range_is_cut_from_the_cached_file(published: Settings, edge: httpx.Client) -> None:
    answer = edge.get(signed(published, OTHER) + "video/360/1.m4s", headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, b"0123456789")
    again = edge.get(signed(published, OTHER) + "video/360/1.m4s", headers={"Range": "bytes=5-7"})
    assert (again.headers["x-cache"], again.content) == ("HIT", b"567")


def test_text_is_compressed_for_those_who_take_it_and_pictures_never(published: Settings, edge: httpx.Client) -> None:
    playlist = b"#EXTM3U\n" + b"".join(b"#EXTINF:6.000000,\n%d.m4s\n" % number for number in range(1200))
    key = f"{MOVIE}/v1/video/360/index.m3u8"
    s3_client(published, "s3_published").put_object(
        Bucket="marquee-published", Key=key, Body=playlist, ContentType="application/vnd.apple.mpegurl"
    )
    address = signed(published) + "video/360/index.m3u8"
    for cached in ("MISS", "HIT"):
        packed = edge.get(address, headers={"Accept-Encoding": "gzip"})
        assert (packed.headers["x-cache"], packed.headers["content-encoding"]) == (cached, "gzip")
        assert (packed.content == playlist, packed.headers["vary"]) == (True, "Accept-Encoding")
        assert packed.num_bytes_downloaded < len(playlist) / 4
    plain = edge.get(address, headers={"Accept-Encoding": "identity"})
    assert ("content-encoding" in plain.headers, plain.content == playlist) == (False, True)
    known = edge.get(address, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]})
    assert known.status_code == 304, "a player that has the playlist must not fetch it again"
    segment = edge.get(signed(published) + "video/360/1.m4s", headers={"Accept-Encoding": "gzip"})
    assert ("content-encoding" in segment.headers, segment.content == SEGMENT) == (False, True)


def test_a_path_that_is_not_signed_for_it_is_refused(published: Settings, edge: httpx.Client) -> None:
    good = signed(published)
    session = new_playback_id()
    played = signed(published, session_id=session)
    refused = {
        "another session": played.replace(session, new_playback_id()),
        "a session added": good.replace(MOVIE, f"{session}/{MOVIE}"),
        "the session removed": played.replace(f"{session}/", ""),
        "no session's form": signed(published, session_id="v_0/../x"),
        "expired, of a session": signed(published, seconds=-10, session_id=session),
        "expired": signed(published, seconds=-10),
        "forged": good.replace(good.split("/")[2], "A" * 22),
        "longer": good.replace(good.split("/")[3], str(int(good.split("/")[3]) + 1)),
        "another title": good.replace(MOVIE, OTHER),
        "another version": good.replace("/v1/", "/v2/"),
        "out of the title": good + f"../../{OTHER}/v1/",
        "out of the title, encoded": good + f"..%2f..%2f{OTHER}/v1/",
        "no token": f"/{MOVIE}/v1/",
        "the bucket": "/marquee-published/",
    }
    answers = {name: edge.get(path + "video/360/1.m4s").status_code for name, path in refused.items()}
    assert answers == dict.fromkeys(refused, 403)


def test_posters_are_open_and_immutable_and_nothing_else_is(published: Settings, edge: httpx.Client) -> None:
    poster = edge.get(f"/images/{MOVIE}/v1/poster.jpg")
    assert (poster.status_code, "immutable" in poster.headers["cache-control"]) == (200, True)
    for path in ("/", "/status", "/healthz", "/images/", "/images/../marquee-ingest/a", f"/images/{MOVIE}/v1/../x"):
        assert edge.get(path).status_code == 403, f"{path} must not be reachable"
    assert edge.post(f"/images/{MOVIE}/v1/poster.jpg").status_code == 405


def test_a_missing_segment_is_not_kept(published: Settings, edge: httpx.Client) -> None:
    answer = edge.get(signed(published) + "video/360/99.m4s")
    assert answer.status_code in (403, 404)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*", "a player must see that it is missing"
    assert "marquee-published" not in answer.text, "what the origin says of itself is not for viewers"


@pytest.mark.parametrize("name", STREAM_FILES)
def test_every_kind_of_file_is_served_under_a_signed_path(published: Settings, edge: httpx.Client, name: str) -> None:
    store_every_kind(published)
    path = signed(published, KEPT, seconds=700) + name
    assert edge.head(path).headers["content-length"] == str(len(BODY))
    answer = edge.get(path)
    assert (answer.status_code, answer.content == BODY) == (200, True)
    assert edge.get(path, headers={"Range": "bytes=5-7"}).content == BODY[5:8]
    assert edge.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert edge.get(path, headers={"If-None-Match": '"another"'}).content == BODY


@pytest.mark.parametrize("name", IMAGE_FILES)
def test_every_kind_of_picture_is_open(published: Settings, edge: httpx.Client, name: str) -> None:
    store_every_kind(published)
    answer = edge.get(f"/{images_prefix(KEPT, 1)}{name}")
    assert (answer.status_code, answer.content == BODY) == (200, True)


def test_a_request_with_a_body_does_not_spoil_the_next_viewers(edge: httpx.Client) -> None:
    """The edge drops the body. If it forwarded the length, the origin would read the next request as the body."""
    sent = [edge.request("GET", f"/images/{MOVIE}/v1/none-{n}.jpg", content=b"x" * 1000) for n in range(4)]
    assert {answer.status_code for answer in sent} <= {403, 404}
    after = edge.get("/" + AFTER)
    assert (after.status_code, after.content == SEGMENT) == (200, True)


def test_a_page_of_the_web_client_may_run_and_load_only_its_own(platform: Settings) -> None:
    policy = httpx.get(platform.loopback("web") + "/").headers["content-security-policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    assert "unsafe" not in policy
    assert rules["script-src"] == rules["style-src"] == rules["worker-src"] == ["'self'"]
    assert [name for name, sources in rules.items() if "blob:" in sources] == ["media-src"], "the player's alone"
    assert "data:" not in policy
    for edge_url in platform.edges:
        assert all(edge_url in rules[name] for name in ("connect-src", "img-src", "media-src"))
    assert platform.public_s3 in rules["connect-src"], "upload parts go straight to S3"


def test_where_an_edge_fetches_from() -> None:
    found = {
        "s3://films": ("https", "films.s3.amazonaws.com:443", "films.s3.amazonaws.com", ""),
        "s3://films?region=eu-1": ("https", "films.s3.eu-1.amazonaws.com:443", "films.s3.eu-1.amazonaws.com", ""),
        "s3://films.of.ours": ("https", "s3.amazonaws.com:443", "s3.amazonaws.com", "/films.of.ours"),
        "s3+https://store:9443/films": ("https", "store:9443", "store:9443", "/films"),
        "s3+http://10.0.0.1/films": ("http", "10.0.0.1:80", "10.0.0.1", "/films"),
        "s3+http://[::1]:9000/films": ("http", "[::1]:9000", "[::1]:9000", "/films"),
    }
    for url, expected in found.items():
        source = origin(url, setting="MARQUEE_PUBLISHED_URL")
        assert (source.scheme, source.address, source.host, source.path) == expected
        assert bool(source.authorities) == (source.scheme == "https"), "an origin with TLS is checked"
    with pytest.raises(SettingsInvalid, match="MARQUEE_PUBLISHED_URL"):
        origin("ftp:/films", setting="MARQUEE_PUBLISHED_URL")
