"""A wrong statement of a part gets a sentence that names the part and its place in the client's list."""

import pytest

from marquee.errors import PartsMismatch
from marquee.ingest.completion import verify_parts
from marquee.stores.objects.contract import StoredPart
from tests.harness.uploads import new_upload

UPLOAD = new_upload(size_bytes=25, part_bytes=10)
HELD = [StoredPart(number, size, str(number) * 32) for number, size in ((1, 10), (2, 10), (3, 5))]
ONE, TWO, THREE = HELD


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ([ONE, TWO], "parts", "Part 3 is missing from the list: the file has 3 parts"),
        ([THREE], "parts", "Parts 1, 2 are missing from the list"),
        ([THREE, TWO, ONE, TWO], "parts[3].number", "Part 2 stands twice in the list. Name"),
        ([THREE, ONE, ONE], "parts[2].number", "Part 1 stands twice in the list. Part 2 is missing"),
        ([ONE, TWO, THREE, StoredPart(4, 5, "4" * 32)], "parts[3].number", "There is no part 4: the file has 3 parts"),
        (
            [THREE, StoredPart(2, 9, "2" * 32), ONE],
            "parts[1].size_bytes",
            "Part 2 must have 10 bytes, but the list says 9",
        ),
        ([THREE, StoredPart(2, 10, "f" * 32), ONE], "parts[1].checksum", "Part 2 is stored with the MD5 2222"),
    ],
)
def test_the_sentence_names_the_part(sent: list[StoredPart], field: str, words: str) -> None:
    with pytest.raises(PartsMismatch) as caught:
        verify_parts(UPLOAD, sent, HELD)
    assert caught.value.field == field
    assert words in caught.value.detail


def test_what_is_stored_wrongly_is_to_be_sent_again() -> None:
    for held, field, words in (
        ([ONE, THREE], "parts[1]", "Part 2 was not stored"),
        ([ONE, StoredPart(2, 4, "2" * 32), THREE], "parts[1].size_bytes", "but 4 are stored: send it again"),
    ):
        with pytest.raises(PartsMismatch) as caught:
            verify_parts(UPLOAD, HELD, held)
        assert (caught.value.field, words in caught.value.detail) == (field, True), caught.value.detail
    assert verify_parts(UPLOAD, HELD[::-1], HELD) == HELD
