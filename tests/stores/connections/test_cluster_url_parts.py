"""The parser of cluster URLs: every part is read back as it was written, and no error shows a password."""

import ipaddress
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.errors import SettingsInvalid
from marquee.stores.connections.cluster_url import ClusterUrl, Host, parse_cluster_url

SETTING = "MARQUEE_SOME_URL"
NAMES = st.from_regex(r"[a-z0-9_.-]{1,20}", fullmatch=True)
HOSTS = st.builds(Host, st.one_of(NAMES, st.ip_addresses(v=6).map(str)), st.integers(1, 65_535))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PARAMETERS = st.dictionaries(st.sampled_from(["one", "two", "three"]), TEXT)
SECRET = "hunter2"
AWKWARD = st.text("/?#@:[],&=% \\aé", max_size=4)


def parse(url: str) -> ClusterUrl:
    return parse_cluster_url(url, setting=SETTING, port=9999, known=("one", "two", "three"))


def read_or_refused(url: str) -> ClusterUrl | SettingsInvalid:
    try:
        return parse(url)
    except SettingsInvalid as error:
        return error


@given(st.lists(HOSTS, min_size=1, max_size=4), st.tuples(TEXT, TEXT) | st.none(), NAMES | st.just(""), PARAMETERS)
def test_what_is_written_comes_back(
    hosts: list[Host], login: tuple[str, str] | None, name: str, parameters: dict[str, str]
) -> None:
    before = f"{quote(login[0], safe='')}:{quote(login[1], safe='')}@" if login else ""
    after = f"?{urlencode(parameters)}" if parameters else ""
    found = parse(f"engine://{before}{','.join(host.address for host in hosts)}/{name}{after}")
    assert found.hosts == tuple(hosts)
    assert (found.user, found.password) == (login or ("", ""))
    assert (found.scheme, found.name, found.parameters) == ("engine", name, parameters)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_the_settings_name(text: str) -> None:
    for url in (text, f"engine://{text}"):
        found = read_or_refused(url)
        if isinstance(found, SettingsInvalid):
            assert found.field == SETTING
            assert found.detail.startswith(f"{SETTING} cannot be used: ")
        else:
            assert found.hosts
            assert all(host.name and 1 <= host.port <= 65_535 for host in found.hosts)


@given(AWKWARD, AWKWARD, st.text(max_size=20) | st.sampled_from(["host:1", "host:1/name?one=1", "", ",", "host:x"]))
def test_no_error_repeats_a_password_however_it_is_written(before: str, after: str, rest: str) -> None:
    for url in (f"engine://user:{before}{SECRET}{after}@{rest}", f"engine://user:{SECRET}"):
        found = read_or_refused(url)
        assert SECRET not in f"{found!r}{getattr(found, '__cause__', None)}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("engine:host", "scheme://"),
        ("engine://", "host no. 1 is not a host"),
        ("engine://a,b:70000", "host no. 2 .*1 to 65535"),
        ("engine://a:-1", "host no. 1"),
        ("engine://::1", "host no. 1"),
        ("engine://[::g]:1", "host no. 1"),
        ("engine://u:p/w@a", "%2F"),
        ("engine://a#b", "%23"),
        ("engine://a?four=4", "no parameter four; known are one, two, three"),
        ("engine://a?one=1&one=2", "twice"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(url: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        parse(url)


@pytest.mark.parametrize("value", ["0", "-1", "11", "1.5", "", " 1", "٣", "9" * 30])
def test_a_number_outside_of_its_bounds_is_refused(value: str) -> None:
    found = parse(f"engine://a?{urlencode({'one': value})}")
    with pytest.raises(SettingsInvalid, match=r"one is .*from 1 to 10"):
        found.whole_number("one", minimum=1, maximum=10)
    assert found.whole_number("two", minimum=1, maximum=10) is None


@given(st.ip_addresses(v=6))
def test_an_address_in_brackets_is_one_host(address: ipaddress.IPv6Address) -> None:
    assert parse(f"engine://[{address}]").hosts == (Host(str(address), 9999),)
