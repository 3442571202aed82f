"""CEA-608: what a receiver would show, when, and in which style."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.media.text import eia608
from marquee.media.text.caption_data import CaptionData
from marquee.media.text.cue_text import shown_text
from marquee.media.text.cues import Cue
from marquee.media.text.eia608 import Pair
from marquee.media.text.eia608_codes import BASIC, EXTENDED, SPECIAL
from tests.harness.media import caption_films as cc
from tests.harness.media.caption_films import pairs, row

Sent = list[tuple[float, list[tuple[int, int]]]]


def told(sent: Sent, *, field: int = 1, end: float = 20.0) -> dict[str, list[Cue]]:
    """The cues of pairs that begin at certain seconds, one pair a frame of 30 a second."""
    found = [
        Pair(seconds + at / 30, field, first, second) for seconds, one in sent for at, (first, second) in enumerate(one)
    ]
    return eia608.decode(found, end)


def test_pop_on_is_shown_whole_from_its_end_of_caption_to_the_erase() -> None:
    loaded = pairs(cc.RCL, cc.ENM, row(14, indent=8), "Hello there,", row(15, indent=8), "General.")
    sent: Sent = [(1.0, loaded), (2.0, pairs(cc.EOC)), (4.0, pairs(cc.EDM))]
    assert told(sent) == {"CC1": [Cue(2.0, 4.0, "Hello there,\nGeneral.", "position:30.0% align:left")]}


def test_a_caption_that_is_never_erased_stays_to_the_end_as_far_as_receivers_show_it() -> None:
    sent: Sent = [(0.5, pairs(cc.RCL, row(15, indent=8), "Last words here")), (2.0, pairs(cc.EOC, once=True))]
    assert told(sent, end=5.0)["CC1"][0].end == 5.0
    assert told(sent, end=500.0)["CC1"][0].end == pytest.approx(18.0)


def test_roll_up_shows_each_line_once_below_the_lines_before_it() -> None:
    lines = ["line number one", "line number two", "line three"]
    sent: Sent = [(2.0 * at, pairs(cc.RU2, cc.CR, row(15), text)) for at, text in enumerate(lines, start=1)]
    cues = told([*sent, (8.0, pairs(cc.EDM))])["CC1"]
    assert [cue.text for cue in cues] == [
        "line number one",
        "line number one\nline number two",
        "line number two\nline three",
    ]
    assert [cue.start for cue in cues] == pytest.approx([2.0, 4.0, 6.0], abs=0.25)
    assert cues[-1].end == 8.0


def test_paint_on_begins_with_its_first_character_and_is_kept_without_an_erase() -> None:
    sent: Sent = [(1.0, pairs(cc.RDC, row(1), "painted")), (3.0, pairs(" more")), (5.0, pairs(cc.EDM))]
    cues = told([*sent, (6.0, pairs(cc.RDC, row(1), "again"))], end=9.0)["CC1"]
    assert [cue.text for cue in cues] == ["painted", "painted more", "again"]
    assert [(cue.start, cue.end) for cue in cues] == [
        (pytest.approx(1.0, abs=0.2), pytest.approx(3.0)),
        (pytest.approx(3.0), 5.0),
        (pytest.approx(6.0, abs=0.2), 9.0),
    ]
    assert all(cue.top for cue in cues), "row 1 is at the top"


def test_two_languages_share_a_field_or_have_one_each() -> None:
    english = pairs(cc.RCL, row(15), "Good day", cc.EOC)
    spanish = pairs(cc.RCL, row(15), "Buen d\x5ea", cc.EOC, channel=2)
    both = told([(1.0, english), (2.0, spanish)])
    assert {name: [cue.text for cue in cues] for name, cues in both.items()} == {
        "CC1": ["Good day"],
        "CC2": ["Buen día"],
    }
    assert list(told([(1.0, english), (2.0, spanish)], field=2)) == ["CC3", "CC4"]


def test_control_codes_of_field_2_have_a_first_byte_of_their_own() -> None:
    sent = pairs((0x15, cc.RCL), row(15), "Third", (0x15, cc.EOC))
    assert told([(1.0, sent)], field=2)["CC3"][0].text == "Third"


def test_xds_and_text_services_are_no_captions() -> None:
    caption = pairs(cc.RCL, row(15), "Caption", cc.EOC)
    xds = [(0x01, 0x83), *pairs("TITLE OF IT"), (0x8F, 0x2A)]
    text = pairs(cc.TEXT_RESTART, "Weather page")
    assert [cue.text for cue in told([(1.0, caption), (3.0, xds), (5.0, text)], field=2)["CC3"]] == ["Caption"]


def test_xds_in_the_middle_of_a_caption_is_left_out() -> None:
    sent = [
        *pairs(cc.RCL, row(15), "Half "),
        (0x01, 0x83),
        *pairs("XDS"),
        (0x8F, 0x2A),
        *pairs(row(15, indent=8), "done", cc.EOC),
    ]
    assert told([(1.0, sent)], field=2)["CC3"][0].text.split() == ["Half", "done"]


def test_every_character_of_the_code_tables() -> None:
    special = [("®", 0x30), ("½", 0x32), ("¿", 0x33), ("™", 0x34), ("♪", 0x37), ("û", 0x3F)]
    extended = [
        ("É", 0x12, 0x21),
        ("“", 0x12, 0x2E),
        ("»", 0x12, 0x3F),
        ("ã", 0x13, 0x21),
        ("ß", 0x13, 0x34),
        ("┘", 0x13, 0x3F),
    ]
    for character, second in special:
        assert told([(1.0, pairs(cc.RCL, row(15), (0x11, second), cc.EOC))])["CC1"][0].text == character
    for character, first, second in extended:
        shown = told([(1.0, pairs(cc.RCL, row(15), "E", (first, second), cc.EOC))])["CC1"][0].text
        assert shown == character, "an extended character replaces the one before it"
    assert shown_text(told([(1.0, pairs(cc.RCL, row(15), "\x5c\x7e\x2a\x27", cc.EOC))])["CC1"][0].text) == "éñá\u2019"


def test_styles_become_tags_and_take_the_space_between_words() -> None:
    italics, yellow = (0x11, 0x2E), (0x11, 0x2A)
    sent = pairs(cc.RCL, row(15), "I", italics, "said", yellow, "so!", cc.EOC)
    assert told([(1.0, sent)])["CC1"][0].text == "I <i>said </i><c.yellow>so!</c>"
    whole = pairs(cc.RCL, row(15, style=7), "sung", cc.EOC)
    assert told([(1.0, whole)])["CC1"][0].text == "<i>sung</i>"


def test_corrections_are_carried_out() -> None:
    backspaced = pairs(cc.RCL, row(15), "worfd", cc.BS, cc.BS, "ld", cc.EOC)
    assert told([(1.0, backspaced)])["CC1"][0].text == "world"
    deleted = pairs(cc.RDC, row(15), "too much", row(15, indent=4), cc.DER, cc.CR)
    assert told([(1.0, deleted)])["CC1"][-1].text == "too"


def test_a_code_that_is_sent_twice_counts_once_also_with_padding_between() -> None:
    twice = pairs((0x11, 0x37))
    assert told([(1.0, [*pairs(cc.RCL, row(15)), *twice, *twice, *pairs(cc.EOC)])])["CC1"][0].text == "♪♪"
    padded = [one for pair in twice for one in (pair, (0x80, 0x80))]
    assert told([(1.0, [*pairs(cc.RCL, row(15)), *padded, *pairs(cc.EOC)])])["CC1"][0].text == "♪"


def test_pairs_with_wrong_parity_are_dropped_unless_the_writer_set_none() -> None:
    right = pairs(cc.RCL, row(15), "good text", cc.EOC)
    damaged = [*right[:-2], (ord("x"), ord("y")), *right[-2:]]
    assert told([(1.0, damaged)])["CC1"][0].text == "good text"
    bare = [(first & 0x7F, second & 0x7F) for first, second in right]
    assert told([(1.0, bare)])["CC1"][0].text == "good text"


def test_two_speakers_keep_their_places() -> None:
    sent = pairs(cc.RCL, row(2), "Above", row(15, indent=20), "Below", cc.EOC)
    cues = told([(1.0, sent)])["CC1"]
    assert [(cue.text, cue.settings) for cue in cues] == [
        ("Above", "line:15.3% position:10.0% align:left"),
        ("Below", "position:60.0% align:left"),
    ]


WRITABLE = "".join(
    sorted(({chr(code) for code in range(0x21, 0x7F)} - {chr(code) for code in BASIC}) | set(BASIC.values()))
)


def sent_text(text: str) -> list[tuple[int, int]]:
    """The pairs of any text of CEA-608's characters."""
    basic = {character: code for code, character in BASIC.items()}
    found: list[tuple[int, int]] = []
    for one in text:
        if (code := basic.get(one, ord(one) if one.isascii() and ord(one) not in BASIC else 0)) != 0:
            found += pairs(chr(code))
        elif one in SPECIAL:
            found += pairs((0x11, 0x30 + SPECIAL.index(one)))
        else:
            first = next(first for first, characters in EXTENDED.items() if one in characters)
            found += [*pairs("?"), *pairs((first, 0x20 + EXTENDED[first].index(one)))]
    return found


def test_a_roll_up_window_never_leaves_the_top_of_the_screen() -> None:
    lines = [(second, pairs(0x27, cc.CR, row(1), f"line {second}")) for second in (1.0, 2.0, 3.0, 4.0, 5.0)]
    [*_, last] = told([*lines, (6.0, pairs(cc.EDM))])["CC1"]
    assert shown_text(last.text) == "line 2.0 line 3.0 line 4.0 line 5.0"
    assert last.settings.startswith("line:10.0%")


@given(st.text(alphabet=WRITABLE + SPECIAL.replace(" ", "") + "".join(EXTENDED.values()), min_size=1, max_size=31))
def test_text_in_is_text_out(text: str) -> None:
    [cue] = told([(1.0, [*pairs(cc.RCL, row(15)), *sent_text(text), *pairs(cc.EOC)])])["CC1"]
    assert shown_text(cue.text) == text


@given(st.lists(st.binary(min_size=2, max_size=2), max_size=200), st.sampled_from([1, 2]))
def test_any_bytes_give_ordered_cues_or_none(content: list[bytes], field: int) -> None:
    data = CaptionData()
    for at, one in enumerate(content):
        data.add_triplets(at / 30, bytes((0xFB + field, *one)))
    for cues in eia608.decode(data.pairs, 30.0).values():
        assert all(cue.start < cue.end for cue in cues)
        assert [cue.start for cue in cues] == sorted(cue.start for cue in cues)
