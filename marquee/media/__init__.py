"""Everything that touches pictures and sound: probing and judging a master, planning, transcoding, packaging.

Nothing here knows a store, a framework or a queue: functions take paths and typed documents, and give paths and typed
documents back. `binaries` says where the programs are, `process` is the one place that runs them.
"""
