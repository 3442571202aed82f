"""Methods of a store in PostgreSQL: a body over one connection, which callers call without it.

    @in_transaction
    async def reopen(self, connection: AsyncConnection, upload_id: str) -> Upload: ...

    await uploads.reopen(upload_id)

So a method has one signature. The body may run again, on another connection (see `marquee.stores.connections.postgres`): use
these only where doing it twice is the same as doing it once, else call `Database.transaction_of` with `repeatable=False`.
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.stores.connections.postgres import Database


class OverDatabase(Protocol):
    @property
    def database(self) -> Database: ...


Store = TypeVar("Store", bound=OverDatabase)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Body = Callable[Concatenate[Store, AsyncConnection, Arguments], Awaitable[Result]]
Method = Callable[Concatenate[Store, Arguments], Coroutine[Any, Any, Result]]


def in_transaction(body: Body[Store, Arguments, Result]) -> Method[Store, Arguments, Result]:
    """The body is one transaction."""

    @functools.wraps(body)
    async def method(self: Store, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await self.database.transaction_of(lambda connection: body(self, connection, *arguments, **named))

    return method


def in_statement(body: Body[Store, Arguments, Result]) -> Method[Store, Arguments, Result]:
    """The body makes one statement, without BEGIN and COMMIT: one round trip."""

    @functools.wraps(body)
    async def method(self: Store, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await self.database.statement_of(lambda connection: body(self, connection, *arguments, **named))

    return method
