"""Long work shows its steps, also where the output is no terminal: a log of it then has a line for each quarter."""

import io

import pytest
from rich.console import Console

from marquee.cli.steps import step


def test_a_log_gets_a_line_for_each_quarter_and_one_at_the_end() -> None:
    console = Console(file=io.StringIO(), width=120)
    with step(console, "viewers") as viewers:
        for done in range(101):
            viewers.update(done, 100)
        viewers.say("waiting")
        viewers.say("waiting")
        viewers.result = "100 sessions [all of them]"
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split("viewers: ")[1] for line in lines[:-1]] == [
        "0 of 100",
        "25 of 100",
        "50 of 100",
        "75 of 100",
        "waiting",
    ]
    assert lines[-1].startswith("✓ viewers")
    assert lines[-1].endswith("100 sessions [all of them]")


def test_a_step_that_fails_says_so() -> None:
    console = Console(file=io.StringIO(), width=120)
    with pytest.raises(RuntimeError), step(console, "chain"):
        raise RuntimeError("broken")
    assert console.file.getvalue().startswith("✗ chain")  # type: ignore[attr-defined]


def test_a_terminal_gets_a_bar_and_no_lines_between() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with step(console, "viewers") as viewers:
        viewers.update(50, 100)
        viewers.say("sending")
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "50 of 100" not in said
    assert "✓" in said
