"""Permissions: every operation of the OpenAPI document, without a token, as a viewer and as an engineer."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.api.conftest import Person

Client = AsyncTestClient[Litestar]

PUBLIC = {"register", "log_in", "refresh", "log_out_by_cookie", "healthz", "readyz", "jwks", "tell"}
VIEWER = {
    *("similar", "opened"),
    *(
        "me",
        "add_profile",
        "change_password",
        "log_out",
        "list_sessions",
        "end_session",
        "delete_profile",
        "delete_account",
        "home",
        "row",
        "search",
        "suggest",
    ),
    *("title", "stream", "progress", "history", "forget", "forget_all", "hide", "undo"),
}
ENGINEER = {
    *("open_upload", "find_open", "status", "abort", "held_parts", "part_urls", "add_sidecar", "complete"),
    *("titles", "edit", "unpublish", "republish", "cancel", "delete"),
    *("performance", "quality", "failures", "searches", "retention", "costs"),
}
HARMLESS = {"log_out"}
"""Not called with a token here: it would end the session of the tests' own person."""


@pytest.fixture(scope="module")
async def operations(client: Client) -> dict[str, tuple[str, str]]:
    schema: dict[str, Any] = (await client.get("/schema/openapi.json")).json()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def _address(path: str) -> str:
    return (
        path.replace("{movie_id}", "m_vvvvvvvvvvvvvvvvvvvv")
        .replace("{upload_id}", "u_vvvvvvvvvvvvvvvvvvvv")
        .replace("{session_id}", "s_vvvvvvvvvvvvvvvvvvvv")
        .replace("{profile_id}", "p_vvvvvvvvvvvvvvvvvvvv")
        .replace("{row_id}", "new-releases")
        .replace("{version}", "1")
    )


async def test_every_operation_is_in_the_matrix(operations: dict[str, tuple[str, str]]) -> None:
    assert set(operations) == PUBLIC | VIEWER | ENGINEER, "an operation is new or gone: say here who may use it"


async def test_without_a_token_only_the_public_operations_answer(
    client: Client, operations: dict[str, tuple[str, str]]
) -> None:
    for name, (method, path) in operations.items():
        answer = await client.request(method, _address(path))
        if name in PUBLIC:
            assert answer.status_code != 401 or name == "refresh", f"{name} asks for a token"
        else:
            assert answer.status_code == 401, f"{name} answered {answer.status_code} to nobody"


async def test_a_viewer_may_not_do_what_engineers_do(
    client: Client, viewer: Person, engineer: Person, operations: dict[str, tuple[str, str]]
) -> None:
    for name, (method, path) in operations.items():
        if name in PUBLIC | HARMLESS:
            continue
        as_viewer = await client.request(method, _address(path), headers=viewer.headers)
        as_engineer = await client.request(method, _address(path), headers=engineer.headers)
        expected = name in ENGINEER
        assert (as_viewer.status_code == 403) is expected, f"{name} answered {as_viewer.status_code} to a viewer"
        assert as_engineer.status_code not in (401, 403), f"{name} refused an engineer: {as_engineer.text[:200]}"
