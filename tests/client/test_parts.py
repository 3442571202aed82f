"""How a file is cut into upload parts."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from marquee.client.uploader import cut_into_parts


@given(size=st.integers(0, 10**10), part_bytes=st.integers(5 * 1024**2, 10**9))
def test_parts_cover_the_file_once_and_in_order(size: int, part_bytes: int) -> None:
    parts = cut_into_parts(size, part_bytes)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1)), "part numbers count from 1"
    assert parts[0].offset == 0
    for before, after in itertools.pairwise(parts):
        assert after.offset == before.offset + before.size_bytes, "parts neither overlap nor leave a gap"
        assert before.size_bytes == part_bytes, "only the last part may be short"
    assert parts[-1].offset + parts[-1].size_bytes == size


def test_an_empty_file_is_one_empty_part() -> None:
    assert [part.size_bytes for part in cut_into_parts(0, 8)] == [0], "S3 completes no upload without a part"
