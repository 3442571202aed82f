"""The logins of one machine's S3: each has the rights that it needs only, and no other listener gives more."""

import asyncio
import dataclasses
import json
from pathlib import Path

import grpc
import httpx
import pytest
from botocore.exceptions import ClientError

from marquee.errors import SettingsInvalid
from marquee.platform import local_engines
from marquee.platform.s3_logins import identities
from marquee.settings import Settings
from marquee.stores.opened import open_bucket
from tests.harness.s3 import BODY, INGEST, INGEST_KEYS, PUBLISHED, PUBLISHED_KEYS, LoginName, s3_client
from tests.harness.servers import make_test_settings, running


def refused(call: object, **arguments: object) -> bool:
    try:
        answer = call(**arguments)  # type: ignore[operator]
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]) in (403, 405)
    # Deleting several at once is answered, with what was refused.
    return bool(answer.get("Errors"))


def test_the_edges_login_reads_published_objects_and_does_nothing_else(every_kind: Settings) -> None:
    edge = s3_client(every_kind, "s3_edge")
    key = PUBLISHED_KEYS[0]
    assert edge.get_object(Bucket=PUBLISHED, Key=key)["Body"].read() == BODY
    for bucket in (PUBLISHED, INGEST):
        where = {"Bucket": bucket}
        assert refused(edge.list_objects_v2, **where), f"edges list {bucket}"
        assert refused(edge.list_object_versions, **where), f"edges list the versions of {bucket}"
        assert refused(edge.list_multipart_uploads, **where), f"edges list the uploads of {bucket}"
        assert refused(edge.get_bucket_policy, **where), f"edges read the policy of {bucket}"
        assert refused(edge.put_bucket_policy, **where, Policy="{}"), f"edges change the policy of {bucket}"
        assert refused(edge.put_object, **where, Key=key, Body=b"x"), f"edges write to {bucket}"
        assert refused(edge.create_multipart_upload, **where, Key=key), f"edges upload to {bucket}"
        assert refused(edge.delete_object, **where, Key=key), f"edges delete from {bucket}"
        assert refused(edge.delete_objects, **where, Delete={"Objects": [{"Key": key}]}), f"edges delete from {bucket}"
        assert refused(edge.delete_bucket, **where), f"edges delete {bucket}"
        copy = {"Bucket": INGEST, "Key": INGEST_KEYS[0]}
        assert refused(edge.copy_object, **where, Key="copy", CopySource=copy), f"edges copy into {bucket}"
    assert refused(edge.get_object, Bucket=INGEST, Key=INGEST_KEYS[0]), "edges read a master"
    assert refused(edge.create_bucket, Bucket="of-the-edges")
    assert edge.list_buckets()["Buckets"] == []
    assert edge.get_object(Bucket=PUBLISHED, Key=key)["Body"].read() == BODY


@pytest.mark.parametrize(
    ("login", "other", "key"), [("s3", PUBLISHED, PUBLISHED_KEYS[0]), ("s3_published", INGEST, INGEST_KEYS[0])]
)
def test_who_owns_a_bucket_cannot_open_the_other(every_kind: Settings, login: LoginName, other: str, key: str) -> None:
    client = s3_client(every_kind, login)
    own = {PUBLISHED: INGEST, INGEST: PUBLISHED}[other]
    assert refused(client.get_object, Bucket=other, Key=key)
    assert refused(client.list_objects_v2, Bucket=other)
    assert refused(client.put_object, Bucket=other, Key="x", Body=b"x")
    assert refused(client.delete_object, Bucket=other, Key=key)
    assert refused(client.copy_object, Bucket=own, Key="copy", CopySource={"Bucket": other, "Key": key})
    assert refused(client.create_bucket, Bucket="a-third-one")


def test_s3_does_not_start_with_a_login_that_has_no_key(tmp_path: Path) -> None:
    """SeaweedFS without a login accepts every request."""
    for name in ("s3_access_key", "s3_published_secret_key", "s3_edge_access_key"):
        with pytest.raises(SettingsInvalid, match=f"MARQUEE_{name.upper()} is not set"):
            identities(make_test_settings(tmp_path, **{name: ""}))


# --- the other listener, and the state of the last release ------------------------------------------------------


def calls_put_identity(target: str, credentials: grpc.ChannelCredentials | None = None) -> grpc.StatusCode:
    """Ask SeaweedFS's gRPC for a new login, with the least of a message: an identity that is named "a"."""
    channel = grpc.secure_channel(target, credentials) if credentials else grpc.insecure_channel(target)
    with channel:
        call = channel.unary_unary("/messaging_pb.SeaweedS3IamCache/PutIdentity")
        try:
            call(b"\x0a\x03\x0a\x01a", timeout=5)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        return grpc.StatusCode.OK


def test_who_reaches_the_grpc_of_s3_makes_no_login(tmp_path: Path) -> None:
    """The gRPC listener uses the address of the public endpoint too."""
    settings = make_test_settings(tmp_path, inner_host="0.0.0.0")
    program = local_engines.seaweedfs(settings)
    target = f"localhost:{settings.port('s3_grpc')}"
    certificate, key = (
        Path(program.environment[name]).read_bytes() for name in ("WEED_GRPC_S3_CERT", "WEED_GRPC_S3_KEY")
    )
    with running(program, tmp_path):
        assert calls_put_identity(target) != grpc.StatusCode.OK, "without TLS"
        assert calls_put_identity(target, grpc.ssl_channel_credentials(certificate)) != grpc.StatusCode.OK, "by no name"
        known = grpc.ssl_channel_credentials(certificate, key, certificate)
        assert calls_put_identity(target, known) == grpc.StatusCode.OK, (
            "who has the key of the state folder must get through, or the refusals above have another reason"
        )


def test_a_state_folder_of_the_last_release_lets_nobody_read_any_more(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path)
    program = local_engines.seaweedfs(settings)
    logins = next(part.split("=", 1)[1] for part in program.command if part.startswith("-s3.config="))
    owner = {
        "accessKey": settings.s3_access_key.get_secret_value(),
        "secretKey": settings.s3_secret_key.get_secret_value(),
    }
    old = [
        {"name": "marquee", "credentials": [owner], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
        {"name": "anonymous", "actions": [f"Read:{PUBLISHED}"]},
    ]
    before = tmp_path / "of-the-last-release.json"
    before.write_text(json.dumps({"identities": old}))
    command = tuple(part.replace(logins, str(before)) for part in program.command)
    url = f"{settings.loopback('s3_inner')}/{PUBLISHED}/{PUBLISHED_KEYS[0]}"
    with running(dataclasses.replace(program, command=command), tmp_path):
        client = s3_client(settings, "s3")
        client.create_bucket(Bucket=PUBLISHED)
        client.put_object(Bucket=PUBLISHED, Key=PUBLISHED_KEYS[0], Body=BODY)
        assert httpx.get(url).status_code == 200, "the last release let everybody read"
    with running(local_engines.seaweedfs(settings), tmp_path):
        assert httpx.get(url).status_code == 403
        assert refused(s3_client(settings, "s3").get_object, Bucket=PUBLISHED, Key=PUBLISHED_KEYS[0])
        asyncio.run(published_bucket_is_whole(settings))
        read = s3_client(settings, "s3_edge").get_object(Bucket=PUBLISHED, Key=PUBLISHED_KEYS[0])
        assert read["Body"].read() == BODY


async def published_bucket_is_whole(settings: Settings) -> None:
    """The new owner has every object of a bucket that another login created. Waits until SeaweedFS has its volumes again."""
    objects = open_bucket(settings, settings.published)
    assert await objects.get(PUBLISHED_KEYS[0]) == BODY
    await objects.ensure_bucket(allowed_origins=["http://web.test"])
    await objects.put("after", b"x", content_type="text/plain")
    await objects.close()
