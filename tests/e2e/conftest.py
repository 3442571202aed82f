"""Fixtures of the whole platform's tests."""

from tests.harness.api_doors import doors  # noqa: F401 - a fixture of this folder
