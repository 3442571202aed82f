"""Documents of an accepted source that an earlier release stored can still be read."""

import msgspec

from marquee.documents import VideoStream

STORED = b"""{
    "index": 0, "codec": "h264", "width": 1280, "height": 720, "display_width": 1280, "display_height": 720,
    "clock": "mended", "changes": true
}"""


def test_a_stored_document_calls_a_change_of_format_by_its_first_name() -> None:
    stream = msgspec.json.decode(STORED, type=VideoStream)
    assert stream.format_changes, "a film whose size changes midway would be encoded as if it did not"
    assert stream.clock == "mended"


def test_what_is_stored_now_is_read_by_an_earlier_release() -> None:
    stream = msgspec.json.decode(STORED, type=VideoStream)
    stored = msgspec.json.decode(msgspec.json.encode(stream))
    assert stored["changes"] is True
    assert "format_changes" not in stored
