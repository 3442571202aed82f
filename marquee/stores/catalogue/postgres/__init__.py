"""The catalogue in PostgreSQL: a class a part of the contract, over one pool; each method is one transaction or one statement.

Tables: `title`, `title_version`, `title_content`, `title_genre` (the genre rows' order), `title_document` (what change capture
reads), `upload`, `outbox`; their shapes are in `marquee.stores.schema.tables`. A transaction locks a title's row before it
changes the title or its versions, and an upload's row before its title's. With PostgreSQL down a call is repeated for some
seconds (every change may be repeated), then raises `StoreUnavailable`.
"""

from marquee.stores.catalogue.contract import HomeRows, Outbox, Titles, Uploads, Versions
from marquee.stores.catalogue.postgres.outbox import PostgresOutbox
from marquee.stores.catalogue.postgres.rows import PostgresHomeRows
from marquee.stores.catalogue.postgres.titles import PostgresTitles
from marquee.stores.catalogue.postgres.uploads import PostgresUploads
from marquee.stores.catalogue.postgres.versions import PostgresVersions
from marquee.stores.connections.postgres import Database


class PostgresCatalogue:
    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.uploads: Uploads = PostgresUploads(self._database)
        self.versions: Versions = PostgresVersions(self._database)
        self.titles: Titles = PostgresTitles(self._database)
        self.rows: HomeRows = PostgresHomeRows(self._database)
        self.outbox: Outbox = PostgresOutbox(self._database)

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()
