"""The metadata of all tables, the names of constraints and indices, and the columns that tables share.

Ids sort and compare by bytes (collation C), whatever the server's locale is. A state is text with a CHECK of the contract's
words. Moments have a time zone; the default is the time of the transaction.
"""

from typing import Any, Final, get_args

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import SQLModel

metadata: Final[MetaData] = SQLModel.metadata
metadata.naming_convention = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def id_column(**options: Any) -> Any:
    return Column(Text(collation="C"), nullable=options.pop("nullable", False), **options)


def text_column(*, nullable: bool = False) -> Any:
    return Column(Text, nullable=nullable)


def time_column(*, nullable: bool = False) -> Any:
    return Column(DateTime(timezone=True), nullable=nullable, server_default=None if nullable else func.now())


def texts_column() -> Any:
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


def one_of(column: str, values: object) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in get_args(values))
    return CheckConstraint(f"{column} IN ({words})", name=column)
