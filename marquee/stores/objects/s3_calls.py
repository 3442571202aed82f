"""Calls of one bucket, in a bounded pool of threads: which failures are worth a repetition, and what the others are called.

What is transient (a server that is away or coming back, 5xx, 429) is repeated with jitter for at most OUTLAST_SECONDS. What
is missing is `ObjectMissing`, all else `StoreUnavailable` with the reason; a certificate that is not to be trusted is told at
once. botocore's own retries are off (`s3_client`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ResponseStreamingError,
    SSLError,
)
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from marquee.errors import ObjectMissing, StoreUnavailable
from marquee.stores.objects.bucket_url import BucketUrl
from marquee.stores.objects.s3_client import CONNECTIONS, make_client

WHAT = "The object store"
LOGINS = (
    "set MARQUEE_S3_ACCESS_KEY and MARQUEE_S3_SECRET_KEY, or use one of AWS's own ways "
    "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile of ~/.aws, a role)"
)
OUTLAST_SECONDS = 30.0
MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchBucket", "NoSuchUpload"}

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


def code_of(error: BaseException) -> str:
    """S3's own word for what went wrong; empty for what is not an answer of S3's."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, ClientError):
        return _status(error) >= 500 or _status(error) == 429 or code_of(error) in {"SlowDown", "RequestTimeout"}
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return False
    streaming = (IncompleteReadError, ResponseStreamingError)
    return isinstance(error, (ConnectionError, HTTPClientError, OSError, *streaming))


class S3Calls:
    def __init__(self, bucket: BucketUrl, *, access_key: str, secret_key: str) -> None:
        self.bucket = bucket.name
        self.client = make_client(bucket, access_key=access_key, secret_key=secret_key)
        self._threads = ThreadPoolExecutor(max_workers=CONNECTIONS, thread_name_prefix="s3")

    async def thread(
        self, call: Callable[Parameters, Answer], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))

    async def outlast(
        self, key: str, call: Callable[[], Awaitable[Answer]], seconds: float = OUTLAST_SECONDS
    ) -> Answer:
        """Repeat what is transient; raises `ObjectMissing` naming the key, or `StoreUnavailable`."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_transient),
            stop=stop_after_delay(seconds),
            wait=wait_random_exponential(multiplier=0.1, max=2.0),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    answer = await call()
        except ClientError as error:
            if code_of(error) in MISSING:
                raise ObjectMissing(f"The object {key!r} is not in the bucket {self.bucket!r}.") from error
            raise StoreUnavailable(f"{WHAT} refused {key!r}: {error}") from error
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise StoreUnavailable(f"{WHAT} wants a login ({error}): {LOGINS}.") from error
        except (BotoCoreError, OSError) as error:
            raise StoreUnavailable(f"{WHAT} did not answer: {error}") from error
        return answer

    async def call(self, key: str, method: str, *, seconds: float = OUTLAST_SECONDS, **arguments: Any) -> Any:
        call = partial(self.thread, getattr(self.client, method), Bucket=self.bucket, **arguments)
        return await self.outlast(key, call, seconds)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()
