"""`marquee engines fetch | up | status | down`: the engines of a large platform, started on this machine without Docker.

Each engine has one module: its exact versions (fetched by Maven into a cache), its configuration, its start, and the URLs by
which a platform uses it. Each engine runs under a supervisor of its own, in its own folder `{state}/engines/{name}`, on free
ports of loopback, as an ordinary user. They are meant for trials, for tests and for people without Docker. A production
platform runs its own servers and is given their URLs.
"""
