"""The schema's history, run by `marquee.stores.migrate`; revisions are numbered and never edited once released."""
