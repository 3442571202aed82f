"""The client that the CLI, the demo and the checks share: the public API over HTTP, and resumable uploads."""
