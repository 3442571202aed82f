"""Calls S3 in a bounded pool of threads, repeats transient failures, and translates the others.

Transient is a server that is down or restarting, a 5xx, and a 429. Such a call is repeated with jitter for at most
RETRY_SECONDS, or until its request's deadline (`marquee.deadlines`). A missing object raises `ObjectMissing`; every other
failure raises `StoreUnavailable` with the reason. An untrusted certificate is not repeated. botocore's own retries are off
(`s3_client`). A thread cannot be cancelled, so calls with a deadline use a client with short time-outs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
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
from tenacity import AsyncRetrying, retry_if_exception, stop_before_delay, wait_random_exponential

from marquee import deadlines
from marquee.errors import ObjectMissing, StoreUnavailable
from marquee.stores.objects.bucket_url import BucketUrl
from marquee.stores.objects.s3_client import BRIEF_SECONDS, CONNECTIONS, READ_SECONDS, make_client

STORE_NAME = "The object store"
LOGIN_REMEDY = (
    "set MARQUEE_S3_ACCESS_KEY and MARQUEE_S3_SECRET_KEY, or use one of AWS's own ways "
    "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile of ~/.aws, a role)"
)
RETRY_SECONDS = 30.0
"""How long one call is repeated."""
MAX_CALLS = 8 * CONNECTIONS
"""Calls with a deadline that may run or wait for a thread. The next one is refused at once."""
MISSING_CODES = {"404", "NoSuchKey", "NotFound", "NoSuchBucket", "NoSuchUpload"}

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


def code_of(error: BaseException) -> str:
    """S3's error code, such as NoSuchKey; empty if the error is not an answer of S3."""
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
    """The client of one bucket, its threads, and the retries of its calls."""

    def __init__(self, bucket: BucketUrl, *, access_key: str, secret_key: str) -> None:
        self.bucket = bucket.name
        self.client = make_client(bucket, access_key=access_key, secret_key=secret_key)
        self._make_client = partial(make_client, bucket, access_key=access_key, secret_key=secret_key)
        self._calls = 0
        self._threads = ThreadPoolExecutor(max_workers=CONNECTIONS, thread_name_prefix="s3")

    @cached_property
    def _brief_client(self) -> Any:
        return self._make_client(read_seconds=BRIEF_SECONDS)

    async def thread(
        self, call: Callable[Parameters, Answer], *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Answer:
        """Run a blocking call in the pool of threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))

    async def outlast(
        self,
        key: str,
        call: Callable[[], Awaitable[Answer]],
        seconds: float = RETRY_SECONDS,
        *,
        whole_request: bool = False,
    ) -> Answer:
        """Repeat `call` while its failure is transient, for at most `seconds`. `key` is for messages.

        `whole_request`: the call may take all of its request's time. Raises `ObjectMissing` or `StoreUnavailable`.
        """
        remaining = deadlines.remaining_seconds(whole_request=whole_request)
        if remaining is None:
            return await self._repeated(key, call, seconds)
        if self._calls >= MAX_CALLS:
            raise StoreUnavailable(f"{STORE_NAME} is busy: {self._calls} calls of this process wait; try again soon.")
        self._calls += 1
        try:
            async with asyncio.timeout(remaining):
                return await self._repeated(key, call, min(seconds, remaining))
        except TimeoutError as error:
            raise StoreUnavailable(f"{STORE_NAME} did not answer within {remaining:.1f} s; try again soon.") from error
        finally:
            self._calls -= 1

    async def _repeated(self, key: str, call: Callable[[], Awaitable[Answer]], seconds: float) -> Answer:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_transient),
            stop=stop_before_delay(seconds),
            wait=wait_random_exponential(multiplier=0.1, max=2.0),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    answer = await call()
        except ClientError as error:
            if code_of(error) in MISSING_CODES:
                raise ObjectMissing(f"The object {key!r} is not in the bucket {self.bucket!r}.") from error
            raise StoreUnavailable(f"{STORE_NAME} refused {key!r}: {error}") from error
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise StoreUnavailable(f"{STORE_NAME} needs a login ({error}): {LOGIN_REMEDY}.") from error
        except (BotoCoreError, OSError) as error:
            raise StoreUnavailable(f"{STORE_NAME} did not answer: {error}") from error
        return answer

    async def call(
        self,
        key: str,
        method: str,
        *,
        seconds: float = RETRY_SECONDS,
        whole_request: bool = False,
        **arguments: Any,
    ) -> Any:
        """Call a method of the boto3 client on this bucket. Raises as `outlast` does."""
        is_brief = deadlines.at_most(READ_SECONDS, whole_request=whole_request) < READ_SECONDS

        def run() -> Any:
            client = self._brief_client if is_brief else self.client
            return getattr(client, method)(Bucket=self.bucket, **arguments)

        return await self.outlast(key, partial(self.thread, run), seconds, whole_request=whole_request)

    def close(self) -> None:
        """Close the client without waiting for calls in progress."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()
        if "_brief_client" in self.__dict__:
            self._brief_client.close()
