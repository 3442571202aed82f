"""The schema's history, run by `marquee.stores.migrate`.

Revisions are numbered, go forward alone and are never edited once released. After a change of `marquee.stores.tables`,
`python -m marquee.stores.migrate draft "what changes"` writes the next one beside a migrated database, to be read and tidied.
"""
