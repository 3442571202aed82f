"""The suite; it mirrors the tree. `contract` holds one suite a store, run on every engine; `e2e` runs whole platforms."""
