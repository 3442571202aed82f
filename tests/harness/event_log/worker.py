"""The one test process that starts Kafka: all tests that need the session's broker carry this mark."""

import pytest

KAFKAS_WORKER = pytest.mark.xdist_group("kafka")
