"""The capacity document's arithmetic holds, and everything in it is used."""

import pytest

from api.history.noted import HISTORY_INTERVAL_SECONDS
from bench import capacity
from marquee.domain.rows import ROWS
from marquee.events import TOPIC_STREAMS
from marquee.settings import Settings
from marquee.stores.connections.postgres import POOL_CONNECTIONS

TEXT = capacity.DOCUMENT.read_text()


def test_every_result_is_what_its_formula_gives() -> None:
    again, _, _ = capacity.reckoned(TEXT)
    different = [line for line, other in zip(TEXT.splitlines(), again.splitlines(), strict=True) if line != other]
    assert not different, f"`python -m bench.capacity` would write these anew: {different}"


def test_every_input_is_used() -> None:
    _, values, used = capacity.reckoned(TEXT)
    inputs = {line.split("`")[1] for line in TEXT.splitlines() if capacity._INPUT.match(line)}
    assert not inputs - used, f"no formula uses {sorted(inputs - used)}"
    assert used <= set(values)


def test_every_measured_figure_says_by_what() -> None:
    measured = TEXT.split("### Measured")[1].split("\n## ")[0]
    rows = [line for line in measured.splitlines() if line.startswith("| `")]
    assert len(rows) >= 10
    unsaid = [row for row in rows if "bench." not in row and "openssl" not in row]
    assert not unsaid, f"nothing says how these were measured: {unsaid}"
    assert "to be measured" not in TEXT


def test_what_the_code_decides_is_as_the_document_says() -> None:
    _, values, _ = capacity.reckoned(TEXT)
    assert values["access_token_seconds"] == Settings.model_fields["access_token_seconds"].default
    assert values["chunk_segments"] == Settings.model_fields["chunk_segments"].default
    assert values["row_ttl_seconds"] == Settings.model_fields["row_ttl_seconds"].default
    assert values["change_streams"] == TOPIC_STREAMS["metadata-changes"]
    assert values["note_seconds"] == HISTORY_INTERVAL_SECONDS
    assert values["pool"] == POOL_CONNECTIONS
    assert values["rows"] == len(ROWS) - 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7_500_000, "7,500,000"),
        (1234.5, "1,230"),
        (0.03521, "0.0352"),
        (12.0, "12"),
        (99.96, "100"),
        (0, "0"),
        (1.005e12, "1,000,000,000,000"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, expected: str) -> None:
    assert capacity.shown(value) == expected


def test_a_formula_may_do_nothing_but_reckon() -> None:
    with pytest.raises(ValueError, match="no formula"):
        capacity.reckoned("| `a` | `__import__('os')` | 1 |")
    with pytest.raises(KeyError):
        capacity.reckoned("| `a` | `b * 2` | 1 |")
    with pytest.raises(ValueError, match="two rows"):
        capacity.reckoned("| `a` | 1 | x |\n| `a` | 2 | x |")
