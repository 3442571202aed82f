"""What runs beside the API and Dagster: one `python -m jobs.x` a module, each its own process under the supervisor.

`transcode` workers take chunk jobs; `change_capture`, `outbox` and `search_sync` move what happened to where it is needed.
`source_cache`, `work_folder` and `hints` are what the workers stand on; the assets use them too. Never imports Dagster.
"""
