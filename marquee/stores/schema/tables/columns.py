"""The one metadata that all tables are in, how constraints and indices are named, and the columns that tables share.

Ids sort and compare by bytes (collation C), whatever the server's locale. States are text with a CHECK made of the
contract's own words. Moments have a time zone, and are the transaction's own where a row does not say one.
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
