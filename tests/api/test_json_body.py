"""A key that stands twice in one object is refused, however it is written; nothing else is taken for one."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.json_body import check_content_type, check_keys
from api.problems import ContentTypeRefused
from marquee.errors import InputInvalid

# Texts in which a careless search for keys would lose its way.
TEXTS = st.text(st.sampled_from('a:,"\\ {}[]ü\n'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(TEXTS, inner), max_size=4).map(tuple),
    max_leaves=12,
)
"""A tuple is an object: pairs of name and value, of which a name may stand twice."""


def written(value: Any, *, escaped: bool, spaced: bool) -> str:
    """The value as JSON."""
    if isinstance(value, tuple):
        colon = " : " if spaced else ":"
        pairs = (
            f"{json.dumps(name, ensure_ascii=escaped)}{colon}{written(each, escaped=escaped, spaced=spaced)}"
            for name, each in value
        )
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, escaped=escaped, spaced=spaced) for each in value) + "]"
    return json.dumps(value, ensure_ascii=escaped)


def has_a_name_twice(value: Any) -> bool:
    if isinstance(value, tuple):
        names = [name for name, _ in value]
        return len(set(names)) < len(names) or any(has_a_name_twice(each) for _, each in value)
    return isinstance(value, list) and any(map(has_a_name_twice, value))


@given(VALUES, st.booleans(), st.booleans())
@example((("x", "y"), (":a", 1), (":a", 2)), False, False)
@example((("x", ":"), ("y", ":"), ("x:", 2)), False, True)
def test_a_name_twice_is_found_and_nothing_else(value: Any, escaped: bool, spaced: bool) -> None:
    body = written(value, escaped=escaped, spaced=spaced).encode()
    if not has_a_name_twice(value):
        check_keys(body)
        return
    with pytest.raises(InputInvalid, match="stands twice"):
        check_keys(body)


def test_names_that_are_equal_after_unescaping_are_one() -> None:
    for body in (
        b'{"\\u0061":1,"a":2}',
        b'{"a":{"b":[{"c":1,"\\u0063":2}]}}',
        b'{"":1,"":2}',
        b'{"\\ud800":1,"\\ud800":1}',
    ):
        with pytest.raises(InputInvalid, match="stands twice"):
            check_keys(body)
    check_keys(b'{"a":' + b"9" * 10_000 + b',"b":"\\u0061"}')


def test_a_long_content_type_is_judged_at_once() -> None:
    """A pattern that tries every way to split the spaces would need longer than the test run."""
    for stated in ("application/json" + ";  " * 20_000 + "!", "application/json;" + " " * 60_000 + "!", "a" * 60_000):
        with pytest.raises(ContentTypeRefused):
            check_content_type((stated,))
