"""SubRip as it is found: changed by editors and word processors, joined from several files, damaged by copies."""

import pytest

from marquee.media.text import captions


def test_odd_subrip_is_read_as_players_read_it() -> None:
    text = (
        "\ufeff00:00:01.5 --> 00:00:02\r\nno number, a dot\r\n\r\n7\r\n"
        "00:00:03,000-->00:00:04,000 X1:10 X2:20\r\nfirst\r\n\r\nafter a blank line\r\n\r\n1999\r\n\r\n"
        "00:00:05,000 --> 00:00:06,000\r\n42\r\n\r\n9\r\n100:00:07,000 --> 100:00:08,000\r\nhours over 99\r\n"
        "10\r\n-00:00:01,000 --> 00:00:00,500\r\nbegins before 0\r\n11\r\n00:00:03,500 --> 00:00:03,700\r\n"
        "overlaps\r\n12\r\n00:00:09,000 --> 00:00:08,000\r\nbackwards\r\n13\r\n00:00:10,000 --> 00:00:11,000\r\n"
        "\r\n14\r\n1:2:3,4 --> 1:2:4\r\nthe end, no line after it"
    )
    parsed = captions.parse_file(text)
    assert [(cue.start, cue.end, cue.text) for cue in parsed.cues] == [
        (0.0, 0.5, "begins before 0"),
        (1.5, 2.0, "no number, a dot"),
        (3.0, 4.0, "first\nafter a blank line\n1999"),
        (3.5, 3.7, "overlaps"),
        (5.0, 6.0, "42"),
        (3723.4, 3724.0, "the end, no line after it"),
        (360_007.0, 360_008.0, "hours over 99"),
    ]
    assert parsed.left_out == 1, "the cue that runs backwards is not counted"
    assert "100:00:07.000" in captions.webvtt(parsed.cues)


def test_byte_order_marks_in_the_middle_are_no_text() -> None:
    one, two, three = (f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\nline {n}\n\n" for n in (1, 2, 3))
    joined = f"\ufeff{one}\ufeff{two}" + three.replace("00:00:03,000", "\ufeff00:00:03,000").replace(
        "line", "\ufeffli\ufeffne"
    )
    assert [(cue.start, cue.text) for cue in captions.parse(joined)] == [
        (1.0, "line 1"),
        (2.0, "line 2"),
        (3.0, "li\ufeffne 3"),
    ]


@pytest.mark.parametrize(
    "times",
    [
        "00:00:03,000 \u2013> 00:00:04,000",
        "00:00:03,000 \u2014> 00:00:04,000",
        "00:00:03,000 \u2192 00:00:04,000",
        "00:00:03\uff0c000 --> 00:00:04\uff0c000",
        "00\uff1a00\uff1a03\uff0c000 --\uff1e 00\uff1a00\uff1a04\uff0c000",
        "\u0660\u0660:\u0660\u0660:\u0660\u0663,\u0660\u0660\u0660 --> \u0660:\u0660:\u0664",
    ],
)
def test_times_that_a_word_processor_changed_are_times(times: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nbefore\n\n2\n{times}\nthese\n\n3\n00:00:05,000 --> 00:00:06,000\n3 \u2192 4\n"
    assert [(cue.start, cue.end, cue.text) for cue in captions.parse(text)] == [
        (1.0, 2.0, "before"),
        (3.0, 4.0, "these"),
        (5.0, 6.0, "3 \u2192 4"),
    ]


def test_doubled_carriage_returns_end_one_line() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nfirst\nsecond line\n\n2\n00:00:03,000 --> 00:00:04,000\n42\n"
    assert captions.parse(text.replace("\n", "\r\r\n")) == captions.parse(text)


@pytest.mark.parametrize(
    ("tag", "settings"),
    [
        (r"\an8", "line:5%"),
        (r"\a6", "line:5%"),
        (r"\a2", ""),
        (r"\a6\an2", ""),
        (r"\a10", "line:50%"),
        (r"\a4", ""),
    ],
)
def test_a_subrip_cue_is_placed_by_either_tag(tag: str, settings: str) -> None:
    (cue,) = captions.parse(f"1\n00:00:01,000 --> 00:00:02,000\n{{{tag}}}words\n")
    assert (cue.text, cue.settings) == ("words", settings)


def test_a_million_carriage_returns_are_line_ends() -> None:
    # Each was looked at with all that follow: hours, which the run's own time limit tells.
    [cue] = captions.parse("1\r00:00:01,000 --> 00:00:02,000\rHi\r" + "\r" * 1_000_000)
    assert cue.text == "Hi"
