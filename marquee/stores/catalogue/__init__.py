"""Titles, versions, uploads and their search documents: the truth of the platform; the engine is chosen by the URL's scheme."""

from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.connections.urls import scheme_of


def open_catalogue(url: str) -> Catalogue:
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.catalogue.postgres import PostgresCatalogue

    return PostgresCatalogue(url)
