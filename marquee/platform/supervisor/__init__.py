"""The supervisor of one machine's processes: what a program is, how it starts, how it is watched and stopped.

`program` defines a process. `supervisord` is the client of the supervisor process, `forking` its main. `launch` is what every
process starts through, `leftovers` ends processes that outlived their program. `supervision` starts and stops a whole
platform, `readiness` waits for programs, `rolling` restarts them, `observation` reports what runs.
"""
