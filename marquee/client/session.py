"""A logged-in session with the API: every call has a time-out, transient faults are retried, tokens are renewed.

Only what is safe to repeat is retried (GET, and calls that say so), after the pause that the answer asks for, but never past
the retries' end. Problem documents become `ApiProblem` with the API's own sentence, also of a fault that stayed.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import MarqueeError, PlatformUnavailable

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
RETRY_SECONDS = 60.0
PROBLEM_MEDIA_TYPE = "application/problem+json"


class ApiProblem(MarqueeError):
    """The API's answer to a request that it did not carry out (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, object]) -> None:
        detail = str(document.get("detail") or document.get("title") or f"HTTP {status}")
        field = document.get("field")
        super().__init__(detail, field=str(field) if field else None)
        self.status = status
        self.code = str(document.get("code") or "")


class _Transient(Exception):
    """A fault that a later try may not meet: no connection, 429, 502, 503, 504.

    `problem` is what the platform said of it; None where nothing of the platform answered. Wait `seconds` at least.
    """

    def __init__(self, fault: str, *, problem: ApiProblem | None = None, seconds: float = 0.0) -> None:
        super().__init__(fault)
        self.problem = problem
        self.seconds = seconds


class ApiSession:
    """`async with ApiSession(url) as api: await api.log_in(...); await api.get("/home")`."""

    def __init__(self, url: str, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=TIMEOUT)
        self._retry_seconds = retry_seconds
        self._credentials: tuple[str, str] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def log_in(self, email: str, password: str, *, seconds: float | None = None) -> None:
        """Raises `ApiProblem` for a wrong login, `PlatformUnavailable` where nothing answers for `seconds`."""
        self._credentials = (email, password)
        self._http.headers.pop("Authorization", None)
        answer = await self._call(
            "POST", "/sessions", {"email": email, "password": password}, None, repeat=True, seconds=seconds
        )
        self._http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    async def get(self, path: str, **query: object) -> Any:
        parameters = {name: value for name, value in query.items() if value is not None}
        return await self._authorized("GET", path, None, parameters, repeat=True)

    async def post(self, path: str, body: object = None, *, repeat: bool = False) -> Any:
        """`repeat` says that doing it twice does no harm, so that a lost answer is asked for again."""
        return await self._authorized("POST", path, body, None, repeat=repeat)

    async def patch(self, path: str, body: object) -> Any:
        return await self._authorized("PATCH", path, body, None, repeat=False)

    async def delete(self, path: str) -> Any:
        return await self._authorized("DELETE", path, None, None, repeat=True)

    async def _authorized(
        self, method: str, path: str, body: object, query: Mapping[str, object] | None, *, repeat: bool
    ) -> Any:
        try:
            return await self._call(method, path, body, query, repeat=repeat)
        except ApiProblem as problem:
            if problem.status != 401 or self._credentials is None:
                raise
            # The access token ran out in a long upload.
            await self.log_in(*self._credentials)
            return await self._call(method, path, body, query, repeat=repeat)

    async def _call(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, object] | None,
        *,
        repeat: bool,
        seconds: float | None = None,
    ) -> Any:
        most_seconds = (seconds or self._retry_seconds) if repeat else 0.0
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_Transient),
                stop=stop_after_delay(most_seconds),
                wait=_pause(most_seconds),
                reraise=True,
            ):
                with attempt:
                    return await self._once(method, path, body, query)
        except _Transient as fault:
            if fault.problem is not None:
                raise fault.problem from fault
            raise PlatformUnavailable(f"The platform at {self.url} is not reachable: {fault}.") from fault

    async def _once(self, method: str, path: str, body: object, query: Mapping[str, object] | None) -> Any:
        try:
            answer = await self._http.request(method, path, json=body, params=dict(query) if query else None)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise _Transient(f"{type(error).__name__} {error}".strip()) from error
        try:
            content = answer.json() if answer.content else None
        except ValueError:
            content = {"detail": answer.text[:300]}
        if not answer.is_error:
            return content
        problem = ApiProblem(answer.status_code, content if isinstance(content, dict) else {})
        if answer.status_code not in (429, 502, 503, 504):
            raise problem
        raise _Transient(
            f"HTTP {answer.status_code}",
            # What stands before the platform answers in its own words when it reaches nothing behind it.
            problem=problem if answer.headers.get("Content-Type", "").startswith(PROBLEM_MEDIA_TYPE) else None,
            seconds=_seconds_to_wait(answer.headers.get("Retry-After", "")),
        )


def _seconds_to_wait(retry_after: str) -> float:
    # The other form of this header, a date, is not one that the platform sends.
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _pause(most_seconds: float) -> Callable[[RetryCallState], float]:
    """Seconds until the next try: longer each time, as long as the answer asks for, and not past the end."""
    growing = wait_random_exponential(multiplier=0.2, max=3)

    def pause(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.seconds if isinstance(fault, _Transient) else 0.0
        left = most_seconds - (state.seconds_since_start or 0.0)
        return max(0.0, min(max(growing(state), asked), left))

    return pause
