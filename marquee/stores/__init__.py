"""The stores: a package for each concern, with a contract (a Protocol) and a module or a folder for each engine.

Every contract is async. `open_...` in a package's `__init__` chooses the engine by the URL's scheme and connects nothing. No
other code knows which engine runs, or imports an engine's driver. One contract suite in `tests/contract` runs on every engine. A
store that does not answer within its time-out raises `StoreUnavailable`. A process opens its stores by `marquee.stores.opened`.
"""
