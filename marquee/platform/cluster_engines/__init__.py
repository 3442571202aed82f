"""The engines of several machines, started on this one without Docker: `marquee engines fetch | up | status | down`.

One module an engine says what it is made of (exact versions, fetched by Maven into a cache), how it is configured and
started, and which URLs a platform needs to use it. Each runs under a supervisor of its own with its own data folder,
`{state}/engines/{name}`, on free ports of loopback, as an ordinary user. For trying, tests and people without Docker; a
service runs its own servers and gives their URLs.
"""
