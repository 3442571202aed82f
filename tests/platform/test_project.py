"""What people are told to do: a command of the checkout, or something that also fits an installed wheel."""

from collections.abc import Callable

import pytest

from marquee.platform.project import IN_WHEEL, how_to_get_web_client, how_to_reinstall


@pytest.mark.parametrize(
    ("remedy", "command"), [(how_to_reinstall, "`make install`"), (how_to_get_web_client, "`make web`")]
)
def test_only_a_checkout_is_told_to_use_make(remedy: Callable[..., str], command: str) -> None:
    assert not IN_WHEEL, "the tests run in a checkout"
    assert command in remedy(), "a checkout is not told the command"
    assert "make " not in remedy(in_wheel=True), "a wheel has no Makefile"
    assert "wheel" in remedy(in_wheel=True), "who installed a wheel is not told to install one again"
