"""What an answer of the API allows a browser: nothing; on the documentation's page, its own scripts and styles."""

import re

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.http_problems import PROBLEM_MEDIA_TYPE
from tests.api.conftest import Person

Client = AsyncTestClient[Litestar]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/accounts/me", 200), ("/api/v1/titles/none", 400), ("/nowhere", 404), ("/schema/nowhere", 404)],
)
async def test_every_answer_allows_nothing(client: Client, viewer: Person, path: str, status: int) -> None:
    answer = await client.get(path, headers=viewer.headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; base-uri 'none'")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    if status >= 400:
        assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE, "a page in the place of a problem document"
        assert answer.headers["cache-control"] == "no-store"


async def test_the_documentation_has_a_new_nonce_in_each_answer(client: Client) -> None:
    answers = [await client.get("/schema/scalar") for _ in range(2)]
    nonces = [re.findall(r"'nonce-([\w-]{22})'", answer.headers["content-security-policy"]) for answer in answers]
    assert all(f'content="{nonce}"' in answer.text for answer, [nonce] in zip(answers, nonces, strict=True))
    assert nonces[0] != nonces[1], "a nonce that can be known beforehand protects nothing"
