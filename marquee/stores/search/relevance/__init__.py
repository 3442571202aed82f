"""How a query is matched and how its results are ordered, the same on both engines. Pure: no I/O."""
