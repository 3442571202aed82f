"""The committed OpenAPI document and the committed rules of the web client: they show every change of the application."""

import sys
from types import ModuleType

import pytest

from api import openapi_document, web_rules
from api.committed_file import MAX_LINES, PROJECT, difference, remedy

MADE = pytest.mark.parametrize(
    ("module", "name", "old", "new", "subject"),
    [
        (openapi_document, "api/openapi.json", '"title": "Marquee"', '"title": "Else"', "The OpenAPI document"),
        (
            web_rules,
            "web/src/domain/rules.ts",
            "This title can be played.",
            "This title plays.",
            "The rules for the web client",
        ),
    ],
    ids=["openapi", "rules"],
)


@MADE
def test_the_file_is_what_the_application_states(
    module: ModuleType, name: str, old: str, new: str, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [module.__name__, "--check"])
    module.main()


@MADE
def test_a_change_is_told_with_its_place_and_the_remedy(
    module: ModuleType, name: str, old: str, new: str, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = (PROJECT / name).read_text()
    assert old in committed, f"{name} lacks the text that this test changes"
    monkeypatch.setattr(module, "render", lambda: committed.replace(old, new))
    monkeypatch.setattr(sys, "argv", [module.__name__, "--check"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    told = str(ended.value)
    assert told.startswith(f"{subject} changed:")
    assert told.endswith(remedy(name, module.__name__))
    assert any(line.startswith("+") and new in line for line in told.splitlines()), "the new text is not shown"
    assert (PROJECT / name).read_text() == committed, "--check wrote the file"


def test_a_long_difference_is_cut() -> None:
    told = difference("api/openapi.json", "", "line\n" * 1000).splitlines()
    assert len(told) == MAX_LINES + 1
    assert told[-1] == "... and 943 lines more"
