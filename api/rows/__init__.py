"""The rows of the home page: the shared rows (genres, new releases) and each viewer's continue watching.

Read path of a shared row: `service` > `shared` > `local_copies` and `cached_rows`, then `queries` for what no cache
has.
"""
