"""Decorators for the methods of a PostgreSQL store: the body gets a connection, and callers do not pass one.

    @in_transaction
    async def reopen(self, connection: AsyncConnection, upload_id: str) -> Upload: ...

    await uploads.reopen(upload_id)

The body may run again on another connection (see `marquee.stores.connections.postgres`). So use these decorators only if running
the body twice has the same result as running it once. Otherwise call `Database.transaction_of` with `repeatable=False`.
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.stores.connections.postgres import Database


class OverDatabase(Protocol):
    """A store that has a `Database`."""

    @property
    def database(self) -> Database: ...


Store = TypeVar("Store", bound=OverDatabase)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Body = Callable[Concatenate[Store, AsyncConnection, Arguments], Awaitable[Result]]
Method = Callable[Concatenate[Store, Arguments], Coroutine[Any, Any, Result]]


def in_transaction(body: Body[Store, Arguments, Result]) -> Method[Store, Arguments, Result]:
    """Run the body as one transaction. Raises as `Database.transaction_of` does."""

    @functools.wraps(body)
    async def method(self: Store, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await self.database.transaction_of(lambda connection: body(self, connection, *arguments, **named))

    return method


def in_statement(body: Body[Store, Arguments, Result]) -> Method[Store, Arguments, Result]:
    """Run the body, a single statement, without BEGIN and COMMIT: one round trip. Raises as `in_transaction` does."""

    @functools.wraps(body)
    async def method(self: Store, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await self.database.statement_of(lambda connection: body(self, connection, *arguments, **named))

    return method
