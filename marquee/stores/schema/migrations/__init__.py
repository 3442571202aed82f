"""The schema's history, run by `marquee.stores.schema.migrate`.

Revisions are numbered, go forward alone and are never edited once released. After a change of `marquee.stores.schema.tables`,
`python -m marquee.stores.schema.migrate draft "what changes"` writes the next one beside a migrated database, to
be read and tidied.
"""
