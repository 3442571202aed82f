"""The class of a device by its User-Agent, as the makers write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.device_class import device_class

MOZILLA = "Mozilla/5.0"
AGENTS = {
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1": "phone",
    f"{MOZILLA} (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36": "phone",
    f"{MOZILLA} (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36": "phone",
    f"{MOZILLA} (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1": "tablet",
    f"{MOZILLA} (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36": "tablet",
    f"{MOZILLA} (Linux; Android 11; KFTRWI) AppleWebKit/537.36 Silk/131.2 like Chrome/131.0.0.0 Safari/537.36": "tablet",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0": "desktop",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15": "desktop",
    f"{MOZILLA} (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": "desktop",
    f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36": "desktop",
    f"{MOZILLA} (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Version/7.0 TV Safari/537.36": "tv",
    f"{MOZILLA} (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0.4606.128 Safari/537.36 WebAppManager": "tv",
    f"{MOZILLA} (Linux; Android 11; AFTKA Build/RS8149) AppleWebKit/537.36 Chrome/112.0.0.0 Mobile Safari/537.36": "tv",
    f"{MOZILLA} (Linux; Android 12; BRAVIA 4K UR3) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36": "tv",
    f"{MOZILLA} (CrKey armv7l 1.5.16041) AppleWebKit/537.36 Chrome/31.0.1650.0 Safari/537.36": "tv",
    f"{MOZILLA} (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15": "tv",
    "Roku/DVP-13.0 (13.0.0.4209-29)": "tv",
    "AppleTV14,1/17.0": "tv",
    "HbbTV/1.6.1 (+DRM; Sony; KD-55; 1.0; 1; sony.2021;)": "tv",
    f"{MOZILLA} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "robot",
    f"{MOZILLA} (Linux; Android 6.0.1; Nexus 5X) Chrome/131.0 Mobile Safari/537.36 (compatible; Googlebot/2.1)": "robot",
    f"{MOZILLA} (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": "robot",
    f"{MOZILLA} (compatible; YandexBot/3.0; +http://yandex.com/bots)": "robot",
    f"{MOZILLA} AppleWebKit/537.36 (compatible; GPTBot/1.2; +https://openai.com/gptbot)": "robot",
    f"{MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0.0.0 Safari/537.36": "robot",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": "robot",
    "python-httpx/0.28.1": "robot",
    "curl/8.11.0": "robot",
    "okhttp/4.12.0": "other",
    "MarqueeApp/3.1": "other",
    "": "other",
}


@pytest.mark.parametrize("agent", AGENTS)
def test_a_device_is_what_its_maker_says(agent: str) -> None:
    assert device_class(agent) == AGENTS[agent]


def test_who_says_nothing_is_no_known_device() -> None:
    assert device_class(None) == "other"


@given(st.text())
def test_any_text_has_a_class(agent: str) -> None:
    assert device_class(agent) in ("phone", "tablet", "desktop", "tv", "robot", "other")
