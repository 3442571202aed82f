"""Lays a title out for players: segments, playlists, manifests, and the checks before publication."""
