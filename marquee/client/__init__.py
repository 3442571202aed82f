"""The client of the public API that the CLI, the demo and the checks share: sessions, and resumable uploads."""
