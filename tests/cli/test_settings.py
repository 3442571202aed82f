"""`marquee settings` shows neither secrets nor the passwords in URLs."""

import pytest
from pydantic import SecretStr

from marquee.cli.settings import shown


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("postgresql://marquee:secret@127.0.0.1:5432/marquee", "postgresql://marquee:***@127.0.0.1:5432/marquee"),
        ("cassandra://user:p%40ss@a,b:9042/marquee?x=y", "cassandra://user:***@a,b:9042/marquee?x=y"),
        ("valkey://:secret@cache:6379/0", "valkey://:***@cache:6379/0"),
        ("https://films.example/a:b@c", "https://films.example/a:b@c"),
        (8400, "8400"),
        (SecretStr("secret"), "set"),
        (SecretStr(""), ""),
    ],
)
def test_no_secret_is_shown(value: object, seen: str) -> None:
    assert shown(value) == seen
