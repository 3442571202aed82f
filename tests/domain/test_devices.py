"""What a session's device is called: a short text for people, whatever a client sends."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.devices import MAX_DEVICE_CHARACTERS, device_of

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"


@pytest.mark.parametrize(
    ("user_agent", "device_name", "device"),
    [
        (WINDOWS, None, "Chrome on Windows"),
        (WINDOWS + " Edg/130.0.0.0", None, "Edge on Windows"),
        (IPHONE, None, "Safari on iPhone"),
        (ANDROID, "", "Firefox on Android"),
        ("python-httpx/0.28.1", None, "python-httpx"),
        ("okhttp/4.12.0", "  Zoe's\ttablet ", "Zoe's tablet"),
        (WINDOWS, "\u202eevil\u200b\x07", "evil"),
        (WINDOWS, "\u200b\u202e \n", "Chrome on Windows"),
        ("(no product)", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_device_has_a_name_that_its_owner_recognises(
    user_agent: str | None, device_name: str | None, device: str | None
) -> None:
    assert device_of(user_agent, device_name) == device


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_comes_the_text_is_short_and_visible(user_agent: str, device_name: str) -> None:
    device = device_of(user_agent, device_name)
    if device is not None:
        assert 1 <= len(device) <= MAX_DEVICE_CHARACTERS
        assert device == device.strip()
        assert not any(unicodedata.category(character).startswith("C") for character in device)
