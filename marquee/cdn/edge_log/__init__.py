"""The edges' log of viewers' requests: its files (`files`), its lines (`requests`), its way to the event log (`shipping`).

An edge writes a JSON line a request of a playback session, with the CMCD fields of the player, to files of ten seconds each
(`deploy/templates/nginx/edge_log.conf.jinja`). The program `edge-logs` on the same host publishes them as `ViewingEvent`s and
removes the files. Why files, and why of ten seconds: docs/adr/0030-edges-log-to-short-files.md.
"""
