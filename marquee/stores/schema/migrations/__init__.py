"""The schema's history, run by `marquee.stores.schema.migrate`.

Revisions are numbered. A released revision is never edited, and none is undone. After a change of `marquee.stores.schema.tables`,
`python -m marquee.stores.schema.migrate draft "what changes"` writes the next revision, by comparing with a migrated database.
Read it and tidy it.
"""
