"""Marquee: what the API, the jobs and the assets share.

`settings`, `events`, `documents` and `errors` lie at the bottom, `domain` holds the pure rules, `media` and
`stores` do the work, `platform` runs every process on one machine, `cli` is at the top.
"""

__version__ = "0.1.0"
