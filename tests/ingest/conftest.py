"""A catalogue and a bucket of a test's own, and an upload in them."""

from tests.harness.stored_upload import catalogue, objects, upload  # noqa: F401 - fixtures
