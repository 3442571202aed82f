"""What an Elasticsearch URL may contain, the error for each mistake, and that TLS checks the server's certificate."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from marquee.documents import SearchDocument
from marquee.errors import SettingsInvalid, StoreUnavailable
from marquee.stores.search import open_search, open_search_writer
from marquee.stores.search.elasticsearch.mapping import index_settings
from marquee.stores.search.elasticsearch.url import parse_target
from tests.harness.tls import make_certificate, tls_in_front_of


def test_the_shortest_url_is_one_host_and_a_copy_where_there_is_a_node_for_it() -> None:
    found = parse_target("elasticsearch://search1/titles")
    assert (found.hosts, found.login, found.alias) == (("http://search1:9200",), None, "titles")
    assert (found.replicas, found.tls) == (None, None)
    assert index_settings(found.replicas)["auto_expand_replicas"] == "0-1"


def test_everything_that_a_url_can_say() -> None:
    found = parse_target("elasticsearchs://us%40er:p%3Aw%2F%40@search1:9243,search2,[::1]:9201/titles_2?replicas=2")
    assert found.hosts == ("https://search1:9243", "https://search2:9200", "https://[::1]:9201")
    assert found.login == ("us@er", "p:w/@")
    assert index_settings(found.replicas)["number_of_replicas"] == 2
    assert found.tls is not None
    assert found.tls.check_hostname
    assert "p:w/@" not in repr(found)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("elasticsearch://search1", "alias"),
        ("elasticsearch://search1/Titles", "alias"),
        ("elasticsearch://search1/a/b", "alias"),
        ("elasticsearch:///titles", "not a host"),
        ("elasticsearch://search1,/titles", "not a host"),
        ("elasticsearch://search1:port/titles", "port"),
        ("elasticsearch://search1/titles?replicas=many", "replicas"),
        ("elasticsearch://search1/titles?shards=3", "no parameter shards"),
        ("elasticsearch://search1/titles?ca=file.pem", "elasticsearchs"),
        ("elasticsearchs://search1/titles?ca=/no/such/file.pem", "no such file"),
    ],
)
def test_a_mistake_is_named(url: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said) as refused:
        parse_target(url)
    assert refused.value.field == "MARQUEE_SEARCH_URL"


@pytest.fixture
async def proxied(elasticsearch_urls: Callable[[], str], tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """A URL with TLS, and the server's certificate, which is for the host localhost."""
    url = elasticsearch_urls()
    certificate, key = make_certificate(tmp_path, "localhost")
    parts = urlsplit(url)
    assert parts.port is not None
    async with tls_in_front_of(parts.port, certificate, key) as port:
        yield f"elasticsearchs://localhost:{port}{parts.path}", certificate


@pytest.mark.xdist_group("elasticsearch")
@pytest.mark.parametrize("by_name", [True, False])
async def test_a_checked_certificate_opens_the_way(proxied: tuple[str, Path], by_name: bool) -> None:
    url, certificate = proxied
    if not by_name:
        url = url.replace("localhost", "127.0.0.1")
    index = await open_search_writer(f"{url}?ca={certificate}{'' if by_name else '&check_hostname=false'}")
    assert await index.apply([SearchDocument(movie_id="m", revision=1, title="Film")]) == 1
    await index.close()


@pytest.mark.xdist_group("elasticsearch")
@pytest.mark.parametrize("known", [False, True])
async def test_an_unknown_certificate_or_another_hosts_does_not(proxied: tuple[str, Path], known: bool) -> None:
    url, certificate = proxied
    # The certificate does not contain the IP address.
    index = open_search(f"{url.replace('localhost', '127.0.0.1')}?ca={certificate}" if known else url)
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        await index.search("film")
    await index.close()
