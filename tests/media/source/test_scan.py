"""The scan reads ffmpeg's log, in which messages of several threads may share a line."""

import pytest

from marquee.media.source.scan import Scan

FRAME = (
    "[Parsed_showinfo_0 @ 0x7f0950001cc0] [info] n: 229 pts:   9160 pts_time:9.16    duration:     40 "
    "duration_time:0.04    fmt:yuv420p cl:left sar:1/1 s:640x272 i:P iskey:0 type:B "
)


@pytest.mark.parametrize(
    ("message", "truncated", "concealed"),
    [("", False, 0), ("File ended prematurely", True, 0), ("corrupt decoded frame", False, 1)],
)
def test_a_message_on_the_line_of_a_frame_is_read_and_so_is_the_frame(
    message: str, truncated: bool, concealed: int
) -> None:
    scanned = Scan()
    scanned._read_line(FRAME + message)
    assert list(scanned.times) == [9160], "the frame on the line was lost"
    assert (scanned.truncated, len(scanned.concealed_at)) == (truncated, concealed), "the message on the line was lost"
