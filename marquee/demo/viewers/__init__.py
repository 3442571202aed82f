"""Viewers of the demo: some thousands of believable playback sessions of the past week, sent through the public endpoint.

`people` draws viewers with a taste, a device and a network; `rhythm` says when they watch; `watching` plays one session as a list
of events; `week` puts a whole week together. These are pure: the same seed, films and moment give the same week. `sending` posts
the week to the telemetry endpoint of a running platform, as players do, and shows how far it is.
"""
