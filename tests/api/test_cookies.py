"""The browser's cookies: names by port, attributes, one value or a refusal, and the exact origin."""

import pytest
from litestar.testing import RequestFactory

from api.auth.cookies import COOKIE_PATH, BrowserCookies, Connection, OriginRefused, cookies_of
from marquee.errors import InputInvalid

OURS = cookies_of("http://127.0.0.1:8400")


def request(headers: dict[str, str]) -> Connection:
    return RequestFactory().post(COOKIE_PATH, headers=headers)


@pytest.mark.parametrize(
    ("public_url", "name", "is_secure", "origins"),
    [
        (
            *("http://127.0.0.1:8400", "marquee_refresh_8400", False),
            {"http://127.0.0.1:8400", "http://localhost:8400"},
        ),
        (
            *("http://localhost:9000", "marquee_refresh_9000", False),
            {"http://127.0.0.1:9000", "http://localhost:9000"},
        ),
        ("http://[::1]:8400", "marquee_refresh_8400", False, {"http://[::1]:8400", "http://localhost:8400"}),
        ("https://Films.Example", "marquee_refresh_443", True, {"https://films.example"}),
        ("https://films.example:443/", "marquee_refresh_443", True, {"https://films.example"}),
        ("http://films.example", "marquee_refresh_80", False, {"http://films.example"}),
        ("https://films.example:8443", "marquee_refresh_8443", True, {"https://films.example:8443"}),
    ],
)
def test_names_and_origins_follow_from_the_public_url(
    public_url: str, name: str, is_secure: bool, origins: set[str]
) -> None:
    cookies = cookies_of(public_url)
    assert (cookies.refresh, cookies.is_secure, cookies.origins) == (name, is_secure, origins)
    assert cookies.device == name.replace("refresh", "device")


@pytest.mark.parametrize("public_url", ["http://127.0.0.1:8400", "https://films.example"])
def test_no_script_and_no_other_site_gets_a_cookie(public_url: str) -> None:
    cookies = cookies_of(public_url)
    made = (
        cookies.refresh_cookie("t" * 43, max_age_seconds=60),
        cookies.device_cookie("d" * 43),
        cookies.removed(cookies.refresh),
    )
    for cookie in made:
        words = [word.strip() for word in cookie.to_header(header="").split(";")]
        assert {"HttpOnly", "SameSite=strict", f"Path={COOKIE_PATH}"} <= set(words), words
        assert ("Secure" in words) is public_url.startswith("https"), words
        assert not any(word.startswith("Domain") for word in words), "the cookie would go to other hosts too"
    assert "Max-Age=60" in made[0].to_header()
    assert "Max-Age=0" in made[2].to_header()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("", None),
        ("marquee_refresh_8400=", None),
        ("marquee_refresh_8400=abc", "abc"),
        ('other=x; marquee_refresh_8400="abc" ; marquee_refresh_8401=y', "abc"),
        ("marquee_refresh_8401=another-platform", None),
        ("xmarquee_refresh_8400=abc", None),
        ("MARQUEE_REFRESH_8400=abc", None),
        ("marquee_refresh_8400", None),
        ("marquee_refresh_8400=a=b", "a=b"),
        (";;;=;", None),
        pytest.param("marquee_refresh_8400=" + "x" * 50_000, "x" * 50_000, id="very-long"),
    ],
)
def test_a_cookie_is_read_by_its_exact_name(header: str, value: str | None) -> None:
    assert OURS.read(request({"cookie": header}), OURS.refresh) == value


def test_a_cookie_that_another_port_has_set_beside_ours_is_refused() -> None:
    with pytest.raises(InputInvalid) as refused:
        OURS.read(request({"cookie": f"{OURS.refresh}=theirs; {OURS.refresh}=ours"}), OURS.refresh)
    assert refused.value.field == "cookie"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8400", "http://localhost:8400"])
def test_a_page_of_the_web_client_may_use_the_cookie(origin: str) -> None:
    OURS.check_origin(request({"origin": origin}))


@pytest.mark.parametrize(
    ("origin", "cookies"),
    [
        (None, OURS),
        ("", OURS),
        ("null", OURS),
        ("http://127.0.0.1:9000", OURS),
        ("http://127.0.0.1", OURS),
        ("https://127.0.0.1:8400", OURS),
        ("http://127.0.0.1:8400/", OURS),
        ("http://127.0.0.1:8400.evil.example", OURS),
        ("http://evil.example", OURS),
        ("http://127.0.0.1:8400, http://evil.example", OURS),
        ("http://sub.films.example", cookies_of("http://films.example")),
        ("http://films.example", cookies_of("https://films.example")),
        ("http://localhost:443", cookies_of("https://films.example")),
    ],
)
def test_any_other_origin_is_refused(origin: str | None, cookies: BrowserCookies) -> None:
    with pytest.raises(OriginRefused) as refused:
        cookies.check_origin(request({} if origin is None else {"origin": origin}))
    assert refused.value.status == 403
