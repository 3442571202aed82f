"""A logged-in session with the API: every call has a time-out, transient faults are retried, tokens are renewed.

Only calls that are safe to repeat are retried: GET, DELETE, and calls that say so. The pause before a retry is at least
the answer's Retry-After, and retries end after `retry_seconds`. An error answer is raised as `ApiProblem` with the
API's own sentence, also if it was still there at the last retry.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import MarqueeError, PlatformUnavailable

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
RETRY_SECONDS = 60.0
LOG_OUT_SECONDS = 2.0
WAITS_FOR_PEOPLE = ("upload-quota-exceeded",)
"""Codes of 429 that a retry within a minute does not mend: somebody has to end an upload, or hours have to pass."""
PROBLEM_MEDIA_TYPE = "application/problem+json"


class ApiProblem(MarqueeError):
    """The API's problem document (RFC 9457) as an exception, with its status, code, detail and field."""

    def __init__(self, status: int, document: Mapping[str, object]) -> None:
        detail = str(document.get("detail") or document.get("title") or f"HTTP {status}")
        field = document.get("field")
        super().__init__(detail, field=str(field) if field else None)
        self.status = status
        self.code = str(document.get("code") or "")
        self.document = document


class _Transient(Exception):
    """A fault that may be gone at the next try: no connection, 429, 502, 503, 504.

    `problem` is the platform's own answer; None if the platform did not answer. Wait `seconds` or longer before the
    next try.
    """

    def __init__(self, fault: str, *, problem: ApiProblem | None = None, seconds: float = 0.0) -> None:
        super().__init__(fault)
        self.problem = problem
        self.seconds = seconds


class ApiSession:
    """A session: `async with ApiSession(url) as api: await api.log_in(...); await api.get("/home")`.

    Every call raises `ApiProblem` for an error answer and `PlatformUnavailable` if the platform does not answer.
    """

    def __init__(
        self,
        url: str,
        *,
        retry_seconds: float = RETRY_SECONDS,
        verify: ssl.SSLContext | bool = True,
        user_agent: str | None = None,
    ) -> None:
        """`verify`: which certificates are accepted, as httpx takes it (`marquee.trust`). `user_agent`: None: httpx's own."""
        self.url = url.rstrip("/")
        self.verify = verify
        self._http = httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=TIMEOUT, verify=verify)
        if user_agent is not None:
            self._http.headers["User-Agent"] = user_agent
        self._retry_seconds = retry_seconds
        self._credentials: tuple[str, str, str | None] | None = None
        self._session_ids: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Log out and close the connections. Without an answer the session stays until it expires."""
        for session_id in self._session_ids:
            try:
                await self._http.delete(f"/sessions/{session_id}", timeout=LOG_OUT_SECONDS)
            except httpx.TransportError:
                break
        await self._http.aclose()

    async def log_in(
        self, email: str, password: str, *, profile_id: str | None = None, seconds: float | None = None
    ) -> None:
        """Log in; the session keeps the credentials and logs in again when the access token ends.

        `profile_id`: of the profile to watch as; None: the account's first.
        Raises `ApiProblem` for a wrong login, `PlatformUnavailable` if the platform has not answered within `seconds`.
        """
        self._credentials = (email, password, profile_id)
        self._http.headers.pop("Authorization", None)
        # The account's list of sessions shows the name.
        body = {
            "email": email,
            "password": password,
            "profile_id": profile_id,
            "device_name": f"marquee on {socket.gethostname()}"[:60],
        }
        answer = await self._call("POST", "/sessions", body, None, repeat=True, seconds=seconds)
        self._http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        self._session_ids.append(answer["session_id"])

    async def get(self, path: str, **query: object) -> Any:
        """The decoded answer to a GET. Query values that are None are left out."""
        parameters = {name: value for name, value in query.items() if value is not None}
        return await self._authorized("GET", path, None, parameters, repeat=True)

    async def post(self, path: str, body: object = None, *, repeat: bool = False) -> Any:
        """The decoded answer to a POST. `repeat`: doing it twice is harmless, so it is retried after a lost answer."""
        return await self._authorized("POST", path, body, None, repeat=repeat)

    async def patch(self, path: str, body: object) -> Any:
        """The decoded answer to a PATCH. It is not retried."""
        return await self._authorized("PATCH", path, body, None, repeat=False)

    async def delete(self, path: str) -> Any:
        """The decoded answer to a DELETE."""
        return await self._authorized("DELETE", path, None, None, repeat=True)

    async def _authorized(
        self, method: str, path: str, body: object, query: Mapping[str, object] | None, *, repeat: bool
    ) -> Any:
        try:
            return await self._call(method, path, body, query, repeat=repeat)
        except ApiProblem as problem:
            if problem.status != 401 or self._credentials is None:
                raise
            # The access token expired during a long upload.
            email, password, profile_id = self._credentials
            await self.log_in(email, password, profile_id=profile_id)
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
        max_seconds = (seconds or self._retry_seconds) if repeat else 0.0
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_Transient),
                stop=stop_after_delay(max_seconds),
                wait=_pause(max_seconds),
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
        if answer.status_code not in (429, 502, 503, 504) or problem.code in WAITS_FOR_PEOPLE:
            raise problem
        raise _Transient(
            f"HTTP {answer.status_code}",
            # A gateway or proxy that cannot reach the platform answers in its own format.
            problem=problem if answer.headers.get("Content-Type", "").startswith(PROBLEM_MEDIA_TYPE) else None,
            seconds=_seconds_to_wait(answer.headers.get("Retry-After", "")),
        )


def _seconds_to_wait(retry_after: str) -> float:
    # The platform sends seconds. The header's other form, a date, is ignored.
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _pause(max_seconds: float) -> Callable[[RetryCallState], float]:
    """Seconds until the next try: growing, at least the answer's Retry-After, and not past `max_seconds`."""
    growing = wait_random_exponential(multiplier=0.2, max=3)

    def pause(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        retry_after = fault.seconds if isinstance(fault, _Transient) else 0.0
        left = max_seconds - (state.seconds_since_start or 0.0)
        return max(0.0, min(max(growing(state), retry_after), left))

    return pause
