"""The rows of the home page: the shared rows (genres, new releases, trending), and each viewer's own: continue watching
and "Because you watched ..." (`personal`).

Read path of a shared row: `service` > `shared` > `local_copies` and `cached_rows`, then `queries` for what no cache
has.
"""
