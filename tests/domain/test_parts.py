"""The number and the sizes of an upload's parts."""

from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.parts import MAX_PARTS, part_bytes_of, parts_total, size_of_part


@given(size=st.integers(0, 5 * 2**40), configured=st.integers(5 * 2**20, 2**30))
def test_a_film_of_any_size_fits_into_parts_that_cover_it(size: int, configured: int) -> None:
    part = part_bytes_of(size, configured)
    total = parts_total(size, part)
    assert part >= configured
    assert 1 <= total <= MAX_PARTS, f"{size} bytes in parts of {part} are too many parts for S3"
    assert (total - 1) * part + size_of_part(total, size, part) == size
    assert total == 1 or size_of_part(1, size, part) == part
