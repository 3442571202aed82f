"""`Objects` on one bucket of any S3, by boto3 in a bounded pool of threads.

Every call may be repeated, and `s3_calls` repeats it after transient failures. Bytes are checked both ways. A put sends its MD5.
A stored file's size is compared. A download is written to a temporary file, continued where it broke off (with If-Match), and
renamed when it is complete. If the answer to a completed multipart upload was lost, the repetition recognises the object by its
ETag.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, IncompleteReadError

from marquee.concurrency import gather_bounded
from marquee.domain.parts import part_bytes_of
from marquee.errors import ObjectMissing, PartsMismatch, StoreUnavailable
from marquee.stores.objects.bucket_url import BucketUrl
from marquee.stores.objects.contract import ObjectInfo, StoredPart
from marquee.stores.objects.s3_calls import MISSING_CODES, STORE_NAME, S3Calls, code_of
from marquee.stores.objects.s3_client import make_client
from marquee.stores.objects.s3_parts import md5_base64, multipart_etag, read_range

MULTIPART_FROM_BYTES = 16 * 1024**2
"""A file of this size or more is stored as a multipart upload."""
PART_BYTES = 16 * 1024**2
MAX_CONCURRENT_PARTS = 4
READ_BYTES = 1024**2
DELETE_BATCH = 1000
"""Keys of one delete request: S3's own maximum."""


class S3Objects:
    """See `Objects`. Connects at the first call. `public_url`: the S3 address that presigned URLs are signed for."""

    def __init__(self, bucket: BucketUrl, *, access_key: str, secret_key: str, public_url: str | None = None) -> None:
        self._bucket = bucket.name
        self._calls = S3Calls(bucket, access_key=access_key, secret_key=secret_key)
        self._client = self._calls.client
        self._thread, self._outlast, self._call = self._calls.thread, self._calls.outlast, self._calls.call
        self._signer = make_client(bucket, access_key=access_key, secret_key=secret_key, endpoint=public_url)

    # --- the bucket --------------------------------------------------------------------------------------
    async def ensure_bucket(self, *, allowed_origins: Sequence[str] = ()) -> None:
        try:
            await self._call("", "head_bucket")
        except ObjectMissing:
            try:
                await self._call("", "create_bucket")
            except StoreUnavailable as error:
                if code_of(error.__cause__ or error) not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                    raise
        if allowed_origins:
            rule = {
                "AllowedOrigins": list(allowed_origins),
                "AllowedMethods": ["GET", "HEAD", "PUT"],
                "AllowedHeaders": ["*"],
                "ExposeHeaders": ["ETag"],
                "MaxAgeSeconds": 3600,
            }
            await self._call("", "put_bucket_cors", CORSConfiguration={"CORSRules": [rule]})

    # --- whole objects -----------------------------------------------------------------------------------
    async def put(self, key: str, body: bytes, *, content_type: str, cache_control: str | None = None) -> None:
        headers: dict[str, Any] = {"CacheControl": cache_control} if cache_control else {}
        await self._call(
            key, "put_object", Key=key, Body=body, ContentType=content_type, ContentMD5=md5_base64(body), **headers
        )

    async def put_file(
        self, key: str, path: Path, *, content_type: str, cache_control: str | None = None
    ) -> ObjectInfo:
        size = path.stat().st_size
        if size < MULTIPART_FROM_BYTES:
            body = await self._thread(path.read_bytes)
            await self.put(key, body, content_type=content_type, cache_control=cache_control)
        else:
            await self._put_parts(key, path, size, content_type=content_type, cache_control=cache_control)
        stored = await self.head(key)
        if stored is None or stored.size_bytes != size:
            found = "nothing" if stored is None else f"{stored.size_bytes} bytes"
            raise StoreUnavailable(f"{STORE_NAME} has {found} of {key!r} instead of {size} bytes: store it again.")
        return stored

    async def _put_parts(
        self, key: str, path: Path, size: int, *, content_type: str, cache_control: str | None
    ) -> None:
        part_bytes = part_bytes_of(size, PART_BYTES)
        multipart_id = await self.create_multipart(key, content_type=content_type, cache_control=cache_control)

        async def put_part(number: int) -> StoredPart:
            body = await self._thread(read_range, path, (number - 1) * part_bytes, part_bytes)
            await self._call(
                key,
                "upload_part",
                Key=key,
                UploadId=multipart_id,
                PartNumber=number,
                Body=body,
                ContentMD5=md5_base64(body),
            )
            return StoredPart(number, len(body), hashlib.md5(body, usedforsecurity=False).hexdigest())

        try:
            numbers = range(1, -(-size // part_bytes) + 1)
            parts = await gather_bounded(put_part, numbers, max_concurrent=MAX_CONCURRENT_PARTS)
            await self.complete_multipart(key, multipart_id, parts)
        except BaseException:
            await self.abort_multipart(key, multipart_id)
            raise

    async def get(self, key: str) -> bytes:
        def read() -> bytes:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return body

        return await self._outlast(key, partial(self._thread, read))

    async def get_file(self, key: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_file = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        etag: list[str] = []

        def fetch() -> None:
            """Fetch the missing bytes: a repeated call continues where the last one broke off."""
            have_bytes = partial_file.stat().st_size if partial_file.exists() else 0
            conditions = {"Range": f"bytes={have_bytes}-", "IfMatch": etag[0]} if have_bytes and etag else {}
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **conditions)
            etag[:] = [answer["ETag"]]
            expected = int(answer["ContentLength"])
            written = 0
            with partial_file.open("ab" if conditions else "wb") as file:
                for piece in answer["Body"].iter_chunks(READ_BYTES):
                    written += file.write(piece)
            if written != expected:
                raise IncompleteReadError(actual_bytes=written, expected_bytes=expected)

        try:
            await self._outlast(key, partial(self._thread, fetch))
            partial_file.replace(path)
        finally:
            partial_file.unlink(missing_ok=True)

    async def head(self, key: str) -> ObjectInfo | None:
        try:
            answer = await self._call(key, "head_object", Key=key)
        except ObjectMissing:
            return None
        return ObjectInfo(
            key, int(answer["ContentLength"]), answer["ETag"].strip('"'), _epoch_ms(answer["LastModified"])
        )

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        following: dict[str, Any] = {}
        while True:
            page = await self._call(prefix, "list_objects_v2", Prefix=prefix, MaxKeys=1000, **following)
            for entry in page.get("Contents", ()):
                yield ObjectInfo(
                    entry["Key"], int(entry["Size"]), entry["ETag"].strip('"'), _epoch_ms(entry["LastModified"])
                )
            if not page.get("IsTruncated"):
                return
            following = {"ContinuationToken": page["NextContinuationToken"]}

    async def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), DELETE_BATCH):
            batch = [{"Key": key} for key in keys[start : start + DELETE_BATCH]]
            answer = await self._call(batch[0]["Key"], "delete_objects", Delete={"Objects": batch, "Quiet": True})
            failed = [entry for entry in answer.get("Errors", ()) if entry.get("Code") not in MISSING_CODES]
            if failed:
                raise StoreUnavailable(f"{STORE_NAME} did not delete {failed[0]['Key']!r}: {failed[0].get('Message')}")

    # --- multipart ---------------------------------------------------------------------------------------
    async def create_multipart(self, key: str, *, content_type: str, cache_control: str | None = None) -> str:
        headers: dict[str, Any] = {"CacheControl": cache_control} if cache_control else {}
        answer = await self._call(key, "create_multipart_upload", Key=key, ContentType=content_type, **headers)
        return str(answer["UploadId"])

    async def part_url(self, key: str, multipart_id: str, number: int, *, size_bytes: int, seconds: int) -> str:
        # The length is one of the signed headers: the URL's user can store exactly that many bytes.
        part = {"Bucket": self._bucket, "Key": key, "UploadId": multipart_id, "PartNumber": number}
        part["ContentLength"] = size_bytes
        sign = partial(self._signer.generate_presigned_url, "upload_part", Params=part, ExpiresIn=seconds)
        # Signing itself calls no server, but the keys of an AWS role may have_bytes to be fetched first.
        return str(await self._outlast(key, partial(self._thread, sign)))

    async def list_parts(self, key: str, multipart_id: str) -> Sequence[StoredPart]:
        parts: list[StoredPart] = []
        marker = 0
        while True:
            page = await self._call(key, "list_parts", Key=key, UploadId=multipart_id, PartNumberMarker=marker)
            parts += [
                StoredPart(int(part["PartNumber"]), int(part["Size"]), part["ETag"].strip('"'))
                for part in page.get("Parts", ())
            ]
            if not page.get("IsTruncated"):
                return sorted(dict.fromkeys(parts), key=lambda part: part.number)
            marker = int(page["NextPartNumberMarker"])

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> ObjectInfo:
        listed = [{"PartNumber": part.number, "ETag": f'"{part.checksum}"'} for part in parts]
        size = sum(part.size_bytes for part in parts)
        try:
            await self._call(
                key,
                "complete_multipart_upload",
                whole_request=True,  # joining the parts of a large film takes longer than other calls
                Key=key,
                UploadId=multipart_id,
                MultipartUpload={"Parts": listed},
            )
        except (ObjectMissing, StoreUnavailable) as error:
            if not isinstance(error.__cause__, ClientError):
                raise
            if code_of(error.__cause__) in {"InvalidPart", "InvalidPartOrder", "EntityTooSmall"}:
                raise PartsMismatch(f"The stored parts of {key!r} are not those given: {error.__cause__}") from error
            # An earlier call may have_bytes completed it and its answer was lost: then the object exists, with this ETag.
            stored = await self.head(key)
            if stored is None or stored.etag != multipart_etag(parts):
                raise
            return stored
        stored = await self.head(key)
        if stored is None or stored.size_bytes != size:
            raise PartsMismatch(
                f"The stored object {key!r} does not have_bytes the {size} bytes of its parts: upload it again."
            )
        return stored

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        try:
            await self._call(key, "abort_multipart_upload", Key=key, UploadId=multipart_id)
        except ObjectMissing:
            return

    async def ping(self) -> None:
        await self._call("", "head_bucket", seconds=0)

    async def close(self) -> None:
        self._calls.close()
        self._signer.close()


def _epoch_ms(moment: Any) -> int:
    return int(moment.timestamp() * 1000)
