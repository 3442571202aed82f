"""The catalogue's contract: the truth of the platform, in five parts, each of one noun. Ask for the narrowest part.

`uploads`, `versions`, `titles`, `rows` and `outbox` share one pool of connections. What must happen together happens in one
method, which is one transaction. The values that methods take and return are `marquee.stores.catalogue.values`.

A change of a title writes the title's row of the table `title_document` in the same transaction. Change capture reads only that
table (and its own heartbeat):

- Columns `movie_id`, `revision`, `document`, `changed_at`. `document` is a `SearchDocument` as JSON, with the same revision.
- A title that search must not find any more (unpublished, deleted) keeps its row, with `document` null and a new revision: a
  tombstone. The index upserts where `after.document` is not null; else it deletes at `after.revision`. The platform never deletes
  a row of this table. Where a person deletes a row by hand (op `d`), `before.revision` is the last one used, and the index must
  let that delete win over an equal revision.
- One sequence gives every revision, while the title's row is locked. Within a title, revisions grow in the order of commits, also
  when a deleted title's id is announced again. Revisions of different titles may commit in any order.
"""

from typing import Protocol

from marquee.stores.catalogue.contract.outbox import Outbox
from marquee.stores.catalogue.contract.rows import HomeRows
from marquee.stores.catalogue.contract.titles import Titles
from marquee.stores.catalogue.contract.uploads import Uploads
from marquee.stores.catalogue.contract.versions import Versions

__all__ = ["Catalogue", "HomeRows", "Outbox", "Titles", "Uploads", "Versions"]


class Catalogue(Protocol):
    """What `open_catalogue` returns. Opened and closed as a whole."""

    uploads: Uploads
    versions: Versions
    titles: Titles
    rows: HomeRows
    outbox: Outbox

    async def ping(self) -> None:
        """One round trip. Raises `StoreUnavailable`, also where the schema is older than this version needs."""
        ...

    async def close(self) -> None: ...
