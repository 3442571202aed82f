"""The committed OpenAPI document: nothing in it depends on one machine."""

import pytest

from api.openapi_document import render


def test_no_setting_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    current = render()
    monkeypatch.setenv("MARQUEE_PUBLIC_URL", "https://films.example.org")
    monkeypatch.setenv("MARQUEE_UPLOAD_MAX_BYTES", "12345")
    assert render() == current, "one machine's document differs from another's"
