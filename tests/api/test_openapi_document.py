"""The committed OpenAPI document: it shows every change of the application, and nothing that depends on one machine."""

import json

import pytest

from api.openapi_document import DOCUMENT_FILE, MAX_LINES, REMEDY, difference, main, render


def test_no_setting_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    current = render()
    monkeypatch.setenv("MARQUEE_PUBLIC_URL", "https://films.example.org")
    monkeypatch.setenv("MARQUEE_UPLOAD_MAX_BYTES", "12345")
    assert render() == current, "one machine's document differs from another's"


def test_a_change_is_told_with_its_place_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(render())
    document["info"]["title"] = "Something else"
    monkeypatch.setattr("api.openapi_document.render", lambda: json.dumps(document, indent=2, sort_keys=True) + "\n")
    monkeypatch.setattr("sys.argv", ["openapi_document", "--check"])
    committed = DOCUMENT_FILE.read_text()
    with pytest.raises(SystemExit) as ended:
        main()
    told = str(ended.value)
    assert told.startswith("The OpenAPI document changed:")
    assert told.endswith(REMEDY)
    assert '+    "title": "Something else",' in told
    assert DOCUMENT_FILE.read_text() == committed, "--check wrote the file"


def test_a_long_difference_is_cut() -> None:
    told = difference("", "line\n" * 1000).splitlines()
    assert len(told) == MAX_LINES + 1
    assert told[-1] == "... and 943 lines more"
