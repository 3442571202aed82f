"""TTML: times, styles, places and spaces of a document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.media.text import ttml
from marquee.media.text.cue_text import shown_text
from marquee.media.text.cues import Cue, NotSubtitles

NAMES = (
    'xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
)


def cues(body: str, *, head: str = "", root: str = "") -> list[Cue]:
    return ttml.parse(f"<tt {NAMES} {root}><head>{head}</head><body>{body}</body></tt>").cues


@pytest.mark.parametrize(
    ("begin", "end", "root", "expected"),
    [
        ("00:00:01.500", "00:00:02.250", "", (1.5, 2.25)),
        ("00:00:01:12", "00:00:02:00", 'ttp:frameRate="24"', (1.5, 2.0)),
        ("1.5s", "2500ms", "", (1.5, 2.5)),
        ("25f", "50f", 'ttp:frameRate="25"', (1.0, 2.0)),
        ("30f", "60f", 'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', (1.001, 2.002)),
        ("10000000t", "20000000t", 'ttp:tickRate="10000000"', (1.0, 2.0)),
        ("1m", "0.025h", "", (60.0, 90.0)),
        ("100:00:00", "100:00:01", "", (360000.0, 360001.0)),
    ],
)
def test_every_way_to_write_a_time(begin: str, end: str, root: str, expected: tuple[float, float]) -> None:
    [cue] = cues(f'<div><p begin="{begin}" end="{end}">Hi</p></div>', root=root)
    assert (cue.start, cue.end) == pytest.approx(expected)


def test_times_count_from_the_element_around_and_a_length_is_an_end() -> None:
    [cue] = cues('<div begin="10s"><p begin="1s" dur="2s">Hi</p></div>')
    assert (cue.start, cue.end) == (11.0, 13.0)
    found = cues('<div timeContainer="seq"><p dur="1s">A</p><p dur="2s">B</p></div>')
    assert [(cue.start, cue.end) for cue in found] == [(0.0, 1.0), (1.0, 3.0)]


def test_parts_with_times_of_their_own_are_cues_of_their_own() -> None:
    found = cues('<div><p begin="1s" end="4s">One<span begin="1s"> two</span></p></div>')
    assert [(cue.start, cue.end, cue.text) for cue in found] == [(1.0, 2.0, "One"), (2.0, 4.0, "One two")]


def test_styles_come_from_elements_references_and_surroundings() -> None:
    head = '<styling><style xml:id="s" tts:fontStyle="italic"/><style xml:id="t" style="s" tts:fontWeight="bold"/></styling>'
    [cue] = cues(
        '<div style="t"><p begin="0s" end="1s">A <span tts:fontStyle="normal">B</span><br/>C</p></div>', head=head
    )
    assert cue.text == "<b><i>A </i></b><b>B\n<i>C</i></b>" or shown_text(cue.text) == "A B C"
    assert "<i>" in cue.text
    assert "<b>" in cue.text


def test_spaces_are_joined_unless_the_document_preserves_them() -> None:
    body = '<div><p begin="0s" end="1s">\n   One\n   two\u00a0three  <br/>\n  four </p></div>'
    assert cues(body)[0].text == "One two\u00a0three\nfour"
    assert cues('<div><p xml:space="preserve" begin="0s" end="1s">a  b</p></div>')[0].text == "a  b"


def test_regions_give_the_place() -> None:
    head = (
        '<layout><region xml:id="top" tts:origin="10% 10%" tts:extent="80% 20%"/>'
        '<region xml:id="low" tts:origin="10% 10%" tts:extent="80% 80%" tts:displayAlign="after"/></layout>'
    )
    found = cues(
        '<div><p region="top" begin="0s" end="1s">A</p><p region="low" begin="1s" end="2s">B</p></div>', head=head
    )
    assert [(cue.top, cue.settings) for cue in found] == [(True, "line:10%"), (False, "")]


def test_ruby_stands_above_its_base() -> None:
    ruby = '<span tts:ruby="container"><span tts:ruby="base">漢</span><span tts:ruby="text">kan</span></span>'
    assert cues(f'<div><p begin="0s" end="1s">{ruby}!</p></div>')[0].text == "<ruby>漢<rt>kan</rt></ruby>!"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (f"<!DOCTYPE tt [<!ENTITY a 'b'>]><tt {NAMES}><body/></tt>", "DOCTYPE"),
        (f"<tt {NAMES}><body><div>", "well-formed"),
        (
            f'<tt {NAMES}><body><div smpte:backgroundImage="#i" xmlns:smpte="x"><p begin="0s" end="1s"/></div></body></tt>',
            "pictures",
        ),
        ("<html/>", "not TTML"),
        (f'<tt {NAMES} ttp:frameRate="many"><body/></tt>', "frame rate"),
    ],
)
def test_what_cannot_be_read_is_refused(document: str, why: str) -> None:
    with pytest.raises(NotSubtitles, match=why):
        ttml.parse(document)


def test_a_deep_document_ends_nothing() -> None:
    spans = "<span>" * 3000 + "x" + "</span>" * 3000
    assert cues(f'<div><p begin="0s" end="1s">Hi{spans}</p></div>')[0].text == "Hi"


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_text_in_is_text_out(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    try:
        [cue] = cues(f'<div><p xml:space="preserve" begin="0s" end="1s">x{escaped}x</p></div>')
    except NotSubtitles:
        assert any(ord(one) in (0xFFFE, 0xFFFF) for one in text), "only characters that XML forbids are refused"
        return
    assert shown_text(cue.text) == f"x{text}x"


LINE = '<p begin="1s" end="2s">Hi</p>'


@pytest.mark.parametrize(
    "root",
    [
        'ttp:frameRate="0"',
        'ttp:frameRate="-25"',
        'ttp:frameRate="nan"',
        'ttp:frameRate="inf"',
        'ttp:tickRate="1e400"',
        'ttp:frameRateMultiplier="0 1"',
        f'ttp:frameRateMultiplier="1{"0" * 4000} 1"',
    ],
)
def test_a_rate_that_is_no_positive_number_refuses_the_document(root: str) -> None:
    with pytest.raises(NotSubtitles, match="no positive number"):
        cues(f"<div>{LINE}</div>", root=root)


@pytest.mark.parametrize(
    "begin", [f"{'9' * 5000}:00:00", f"00:00:00:{'9' * 5000}", f"{'9' * 5000}s", f"1.{'9' * 5000}f"]
)
def test_a_time_with_thousands_of_digits_is_no_time(begin: str) -> None:
    [cue] = cues(f'<div><p begin="{begin}" end="2s">Hi</p></div>')
    assert cue.start == 0.0


# Without a bound, each of these takes from minutes to years: the test run's own time limit tells.


def test_styles_that_refer_to_each_other_many_times_are_worked_out_once() -> None:
    names = " ".join(f"s{number}" for number in range(40))
    styles = "".join(f'<style xml:id="s{number}" style="{names}" tts:fontStyle="italic"/>' for number in range(40))
    [cue] = cues(f'<div style="s0">{LINE}</div>', head=f"<styling>{styles}</styling>")
    assert cue.text == "<i>Hi</i>"


def test_a_region_of_many_styles_is_worked_out_once_for_all_paragraphs() -> None:
    head = f'<layout><region xml:id="r" tts:origin="10% 10%">{"<style/>" * 20_000}</region></layout>'
    found = cues(f'<div region="r">{LINE * 10_000}</div>', head=head)
    assert len(found) == 10_000
    assert found[-1].settings == "line:10%"


def test_a_long_value_is_cut_before_every_paragraph_reads_it() -> None:
    value = "underline " * 100_000
    found = cues(f'<div tts:textDecoration="{value}" tts:origin="{value}">{LINE * 10_000}</div>')
    assert found[-1].text == "<u>Hi</u>"


def test_a_paragraph_of_too_many_timed_spans_refuses_the_document() -> None:
    spans = "".join(f'<span begin="{number}s" dur="1s">a</span>' for number in range(20_000))
    with pytest.raises(NotSubtitles, match="too many times"):
        cues(f"<div><p>{spans}</p></div>")


def test_a_long_text_beside_timed_spans_refuses_the_document() -> None:
    spans = "".join(f'<span begin="{number}s">a</span>' for number in range(1000))
    with pytest.raises(NotSubtitles, match="too many times"):
        cues(f'<div><p begin="0s" end="9000s">{"a" * 1_000_000}{spans}</p></div>')


def test_text_that_is_nested_too_deeply_is_counted_as_left_out() -> None:
    spans = f"{'<span>' * 100}deep{'</span>' * 100}"
    found = ttml.parse(f"<tt {NAMES}><body>{LINE}{'<div>' * 100}{LINE}{'</div>' * 100}<p>{spans}</p></body></tt>")
    assert (len(found.cues), found.left_out) == (1, 2)
