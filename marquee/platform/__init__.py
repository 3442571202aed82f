"""Every program of one machine: which there are, how each starts, when it is ready, how all of them stop.

`topology` lists the programs. `programs/` and `local_engines` say how each starts; `supervisor/` starts, watches and stops them;
`one_program` is one of them without a supervisor. `cluster_engines/` are the engines of several machines, each under a supervisor
of its own. Nothing is imported here: `supervisor/launch.py`, through which each program starts, has to be quick.
"""
