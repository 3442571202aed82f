"""A connection to PostgreSQL for one bulk load or one long read, which the caller closes.

The shared pool of `marquee.stores.connections.postgres` is for requests: ten seconds a statement. Here a statement may take as
long as the largest library needs. An outage before the first statement is waited through.
"""

from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import StoreUnavailable
from marquee.stores.connections.urls import libpq_url

STATEMENT_SECONDS: Final = 900
"""For the COPY of a library of 600,000 titles with 20 similar ones each, on a busy machine."""
LOCK_SECONDS: Final = 60
CONNECT_SECONDS: Final = 5
WAIT_FOR_SERVER_SECONDS: Final = 30.0
_OPTIONS: Final = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
    f"-c idle_in_transaction_session_timeout={STATEMENT_SECONDS}s -c synchronous_commit=on -c timezone=UTC "
    "-c client_connection_check_interval=1s"
)


async def bulk_connection(url: str) -> AsyncConnection[Any]:
    """Raises `StoreUnavailable` if the server does not answer for `WAIT_FOR_SERVER_SECONDS`."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(psycopg.OperationalError),
        stop=stop_after_delay(WAIT_FOR_SERVER_SECONDS),
        wait=wait_random_exponential(multiplier=0.2, max=3.0),
        reraise=True,
    )
    try:
        async for attempt in retrying:
            with attempt:
                return await AsyncConnection.connect(
                    libpq_url(url),
                    connect_timeout=CONNECT_SECONDS,
                    options=_OPTIONS,
                    fallback_application_name="marquee",
                    keepalives_idle=10,
                    keepalives_interval=5,
                    keepalives_count=3,
                )
    except psycopg.OperationalError as error:
        raise StoreUnavailable(
            f"PostgreSQL did not answer for {WAIT_FOR_SERVER_SECONDS:.0f} s: check that it runs."
        ) from error
    raise AssertionError("tenacity ends by returning or raising")
