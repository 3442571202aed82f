"""The demo: which films it ingests, how the longer one is cut together, and what is checked from outside.

`films` names them, `reel` makes the longer one, `ingest` uploads them through the API with a live display, `checks` asks
the running system what a client would, `kills` ends each process in turn. The commands are in `marquee.cli`.
"""
