"""The demo: its films, their ingest, and the checks of a running platform from outside.

`films` lists the films, `reel` makes the longer one, `ingest` uploads them through the API. `checks` uses the platform as a
client does, `browser` as a viewer does, `kills` kills each process in turn, `second_start` runs the demo again. `report`
collects the results. The commands are in `marquee.cli.demo`.
"""
