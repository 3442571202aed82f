"""The policies for AWS: they give the public no right, give each login only its own bucket, and allow every call of the code."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from marquee.platform.project import PROJECT
from marquee.settings import Settings

FOLDER = PROJECT / "deploy" / "aws"
INGEST, PUBLISHED, LAKE = "arn:aws:s3:::marquee-ingest", "arn:aws:s3:::marquee-published", "arn:aws:s3:::marquee-lake"
ACTIONS = {
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "complete_multipart_upload": "s3:PutObject",
    "create_bucket": "s3:CreateBucket",
    "create_multipart_upload": "s3:PutObject",
    "delete_objects": "s3:DeleteObject",
    "get_object": "s3:GetObject",
    "head_bucket": "s3:ListBucket",
    "head_object": "s3:GetObject",
    "list_objects_v2": "s3:ListBucket",
    "list_parts": "s3:ListMultipartUploadParts",
    "put_bucket_cors": "s3:PutBucketCORS",
    "put_object": "s3:PutObject",
    "upload_part": "s3:PutObject",
}
"""The right that each call needs, by AWS's documentation of its actions."""


def statements(name: str) -> list[dict[str, Any]]:
    policy = json.loads((FOLDER / name).read_text())
    assert policy["Version"] == "2012-10-17"
    found: list[dict[str, Any]] = policy["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(name: str) -> Iterator[tuple[str, str]]:
    """(action, resource) pairs that a policy allows."""
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            yield from ((action, resource) for resource in listed(statement["Resource"]))


def test_each_login_has_its_bucket_alone() -> None:
    logins = {"login-ingest.json": INGEST, "login-published.json": PUBLISHED, "login-lake.json": LAKE}
    for name, bucket in logins.items():
        assert {resource for _, resource in allowed(name)} == {bucket, f"{bucket}/*"}
        assert {action for action, _ in allowed(name)} <= set(ACTIONS.values()), "a right that no call needs"
    assert list(allowed("login-edges.json")) == [("s3:GetObject", f"{PUBLISHED}/*")]


def test_every_call_of_the_code_is_allowed() -> None:
    modules = (PROJECT / "marquee" / "stores" / "objects").glob("s3*.py")
    words = {word for module in modules for word in re.findall(r"\w+", module.read_text())}
    client_methods = re.compile(
        r"(get|put|head|list|delete|create|complete|abort|upload|copy)_(object|bucket|multipart|part)"
    )
    called = {word for word in words if client_methods.match(word)}
    assert {"get_object", "list_objects_v2", "upload_part"} <= called, "the calls are not found any more"
    ours = {"abort_multipart", "complete_multipart", "create_multipart", "put_part"}
    assert called - ours <= set(ACTIONS), f"{sorted(called - ours - set(ACTIONS))}: which right do these calls need?"
    for name in ("login-ingest.json", "login-published.json", "login-lake.json"):
        has = {action for action, _ in (*allowed(name), *allowed("login-prepare.json"))}
        assert {ACTIONS[call] for call in called & set(ACTIONS)} <= has, name


@pytest.mark.parametrize(
    ("name", "bucket"),
    [("bucket-ingest.json", INGEST), ("bucket-published.json", PUBLISHED), ("bucket-lake.json", LAKE)],
)
def test_a_buckets_policy_only_refuses(name: str, bucket: str) -> None:
    for statement in statements(name):
        assert statement["Effect"] == "Deny", "what everybody may do is nothing"
        assert {resource.removesuffix("/*") for resource in listed(statement["Resource"])} == {bucket}
        assert statement["Condition"], "a refusal without a condition is one for the platform too"


def test_a_presigned_url_lives_as_long_as_the_platform_makes_it() -> None:
    [ages] = [
        statement["Condition"]["NumericGreaterThan"]["s3:signatureAge"]
        for statement in statements("bucket-ingest.json")
        if "NumericGreaterThan" in statement["Condition"]
    ]
    assert int(ages) == Settings.model_fields["part_url_seconds"].default * 1000


def test_nothing_can_be_made_public() -> None:
    blocked = json.loads((FOLDER / "block-public-access.json").read_text())
    assert set(blocked) == {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}
    assert all(blocked.values())
