"""A code location for `test_code_locations`: one asset, and a library that the other locations do not import."""

import wave

import dagster as dg


@dg.asset(description=f"Loaded with {wave.__name__}.")
def of_second() -> None: ...


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions(assets=[of_second])
