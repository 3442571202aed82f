"""The processes beside the API and Dagster, and nothing else: each module is one, started as `python -m jobs.x`.

`transcode` encodes chunks. `change_capture` publishes changes of titles, and `search_sync` writes them to the search index.
`outbox` publishes what was committed to be published. `edge_logs` publishes what viewers requested at the edges. `housekeeping`
finishes or removes what was left half-way. What they share is in `marquee.processes` and `marquee.ingest`. A job never imports
Dagster.
"""
