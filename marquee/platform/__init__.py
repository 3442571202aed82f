"""The programs of one machine: what runs, how each program starts, when it is ready, how all of them stop.

`topology` lists the programs. `programs/` and `local_engines` define how each one starts. `supervisor/` starts, watches and
stops them. `one_program` runs a single program without a supervisor. `cluster_engines/` starts the engines that a production
platform runs on several machines; each has a supervisor of its own. This file imports nothing: every program starts through
`supervisor/launch.py`, which imports this package, and an import here would slow down each start.
"""
