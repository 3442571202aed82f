"""The stores: one package a concern, each a contract (a small Protocol) and one module an engine.

Every contract is async. `open_...` in a package's `__init__` picks the engine by the URL's scheme; nothing else in the
code knows which engine runs, and nothing else imports an engine's driver. One contract suite in `tests/contract` runs
on every engine. A store that does not answer within its time-out raises `StoreUnavailable`.
"""
