"""The warehouse: the schemas that dbt builds in the platform's database, and what encoding a version cost."""

from marquee.stores.connections.urls import scheme_of
from marquee.stores.warehouse.contract import Warehouse


def open_warehouse(url: str) -> Warehouse:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.warehouse.postgres import PostgresWarehouse

    return PostgresWarehouse(url)
