# ruff: noqa: RUF001, E501 - spaces and signs of all kinds
"""No character that carries meaning is lost on a cue's way to WebVTT, odd files are read as players read them, and ASS is read as ASS."""

import contextlib
import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.media.text import captions, cue_text, tx3g

SUBRIP = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"
HEAD = "[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\n\n[V4+ Styles]\n" + (
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, "
    "ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
    "Style: Default,Arial,20,&H0,&H0,&H0,&H0,0,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1\n"
    "Style: Thought,Arial,20,&H0,&H0,&H0,&H0,0,-1,0,0,100,100,0,0,1,2,2,8,10,10,10,1\n"
    "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def shown(written: str) -> str:
    """The characters of WebVTT cue text."""
    return html.unescape(re.sub(r"<[^>]*>", "", written))


def subrip(words: str) -> str:
    return captions.parse(SUBRIP.format(words))[0].text


def ass(*events: str, start: str = "0:00:01.00", end: str = "0:00:02.00", style: str = "Default") -> list[captions.Cue]:
    return captions.parse(HEAD + "".join(f"Dialogue: 0,{start},{end},{style},,0,0,0,,{text}\n" for text in events))


@pytest.mark.parametrize(
    "words",
    [
        "می\u200cخواهم کتاب\u200cها را ببینم",
        "Vraiment\u00a0? Oui\u202f! 10\u2009000\u2007euros",
        "はい\u3000そうです",
        "👨\u200d👩\u200d👧 family, ❤\ufe0f, 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f, 👍🏽, 🇫🇷",
        "Tab\there",
        "\u200f(שלום)\u200f \u2067abc\u2069 \u202bdef\u202c",
        "ශ්\u200dරී ලංකා",
        "soft\u00adhyphen, word\u2060joiner, \ufeffzero",
        "\u00a0indented\u3000",
        "e\u0301 composed é, Ａ wide, ﷺ, 𠮷",
        "line\u2028separator\u2029paragraph",
        "<3 and a < b > c & d -- > e && 5<6",
        "<Bob> says: AT&T, R&copy 2020, &unknown; {not a tag}",
    ],
)
def test_every_character_with_a_meaning_stays(words: str) -> None:
    assert shown(subrip(words)) == words


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>{}&\\"), min_size=1, max_size=60))
def test_text_in_is_text_out(words: str) -> None:
    if not words.strip():
        return
    assert shown(subrip(words)) == words, "SubRip"
    vtt = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{words}\n"
    assert shown(captions.parse(vtt)[0].text) == words, "WebVTT"
    assert shown(tx3g.cue_text(words, [])) == words, "3GPP timed text"
    assert shown(ass("x" + words + "x")[0].text) == f"x{words}x", "ASS"


@given(st.text(max_size=120))
def test_no_text_breaks_the_file_or_puts_markup_into_it(words: str) -> None:
    for written in (cue_text.tagged(words), cue_text.tagged(words, webvtt=True), tx3g.cue_text(words, [])):
        assert "\n\n" not in written
        assert "-->" not in written
        assert not any(unicodedata.category(one) in {"Cc", "Cs"} for one in written if one not in "\n\t")
        tags = re.findall(r"<(/?)([a-z]+)", written)
        opened: list[str] = []
        for closing, name in tags:
            if closing:
                assert opened.pop() == name, written
            else:
                opened.append(name)
        assert not opened, f"never closed: {written}"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Hello&nbsp;world", "Hello\u00a0world"),
        ("&amp;&lt;i&gt;", "&<i>"),
        ("&lrm;&rlm;&shy;", "\u200e\u200f\u00ad"),
        ("&#233;&#x1F600;", "é😀"),
        ("one<br>two<BR/>three", "one\ntwo\nthree"),
        ("{\\an8}{\\i1}top{\\i0}", "top"),
        ('<font color="#ff0000" face="Arial">red</font>', "red"),
        ("bell\x07 and \x1besc", "bell and esc"),
    ],
)
def test_entities_and_markup_are_read_by_the_formats_rule(words: str, meant: str) -> None:
    assert shown(subrip(words)) == meant


def test_webvtts_own_tags_and_places_stay_and_others_go() -> None:
    text = (
        "WEBVTT - title\nKind: captions\n\nREGION\nid:a\n\n1\n00:01.000 --> 00:02.000 line:10% align:left region:a bogus\n"
        "<v.loud Mary Ann>Hi <lang en-GB>mate</lang></v> <00:01.500><c.yellow.bg_blue>you</c>\n\n"
        "00:03.000 --> 00:04.000 position:10%,line-left size:50% vertical:rl\n<ruby>漢<rt>kan</rt></ruby> &lrm;<b>x\n"
    )
    first, second = captions.parse(text)
    assert first.text == "<v.loud Mary Ann>Hi <lang en-GB>mate</lang></v> <c.yellow.bg_blue>you</c>"
    assert first.settings == "line:10% align:left"
    assert second.text == "<ruby>漢<rt>kan</rt></ruby> \u200e<b>x</b>"
    assert second.settings == "position:10%,line-left size:50% vertical:rl"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<SAMI>\n<BODY><SYNC Start=1000><P>Hi</SAMI>", "SAMI"),
        ("{25}{50}Hello|there\n", "MicroDVD"),
        ("[10][20]Hello\n", "MPL2"),
        ("# VobSub index file, v7\n", "VobSub"),
        ("0:00:01.000,0:00:03.000\nHello\n", "SBV"),
        ("[ti:Song]\n[00:12.00]A line\n", "LRC"),
        ("//Font\n00:00:01:00 , 00:00:03:00 , Hello\n", "Spruce"),
        ("Scenarist_SCC V1.0\n\n00:00:01:00\t9420\n", "Scenarist"),
        ("<USFSubtitles version='1.0'><subtitles/></USFSubtitles>", "USF"),
        ("<SAMI><!-- styles --><SYNC Start=1000><P>Hi</SAMI>", "SAMI"),
        ("<!DOCTYPE html><html><body>404</body></html>", "HTML"),
    ],
)
def test_a_format_that_is_not_read_is_refused_by_its_name(text: str, name: str) -> None:
    with pytest.raises(captions.NotSubtitles, match=name):
        captions.parse(text)


# --- ASS -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("plain &nbsp; <b>no tag</b>", "plain &amp;nbsp; &lt;b&gt;no tag&lt;/b&gt;"),
        ("one\\Ntwo\\hthree\\nfour", "one\ntwo\u00a0three four"),
        ("{\\k20}Ka{\\kf30}ra{\\ko20}o{\\K30}ke", "Karaoke"),
        ("{a remark}words{another}", "words"),
        ("{\\b700}heavy{\\b0} {\\b400}light", "<b>heavy</b> light"),
        ("{\\i1}in{\\r} out", "<i>in</i> out"),
        ("{\\rThought}thought{\\i0} said", "<i>thought</i> said"),
        ("{\\t(0,500,\\i1\\fscx120)}turning", "turning"),
        ("{\\bord0\\blur2\\be1\\fnIpaGothic\\c&HFFFFFF&\\iclip(0,0,9,9)}plain", "plain"),
        ("before {\\p1}m 0 0 l 10 0 10 10{\\p0}after", "before after"),
        ("{\\p4\\pos(1,1)}m 0 0 s 1 1{\\p0}{\\i1}word", "<i>word</i>"),
        ("a \\{brace\\}", "a {brace}"),
        ("seen{\\alpha&HFF&} unseen{\\alpha&H00&} again", "seen again"),
        ("{\\alpha&HFF&}a{\\r}b", "b"),
        ("{\\alpha&HFF&\\t(0,200,\\alpha&H00&)}fades in", "fades in"),
    ],
)
def test_an_ass_event_keeps_its_words_and_styles(event: str, expected: str) -> None:
    assert [cue.text for cue in ass(event)] == [expected]


def test_a_drawing_alone_is_no_cue() -> None:
    assert [cue.text for cue in ass("{\\p1}m 0 0 l 100 0 100 50{\\p0}", "{\\pos(1,1)}{\\p2}m 5 5", "words")] == [
        "words"
    ]


def test_a_style_places_and_slants_its_events() -> None:
    cue = ass("a sign", style="Thought")[0]
    assert (cue.text, cue.settings, cue.top) == ("<i>a sign</i>", "line:5%", True)


@pytest.mark.parametrize(
    ("tags", "settings"),
    [
        ("", ""),
        ("\\an8", "line:5%"),
        ("\\an7", "line:5% position:5% align:left"),
        ("\\a6", "line:5%"),
        ("\\an5", "line:50%"),
        ("\\an8\\pos(320,36)", "line:10% position:50%"),
        ("\\pos(320,340)", ""),
        ("\\pos(64,90)", "line:25%,end position:10%"),
        ("\\an1\\move(64,90,600,90)", "line:25%,end position:10%,line-left align:left"),
        ("\\an3\\pos(9999,-50)", "line:2%,end position:98%,line-right align:right"),
    ],
)
def test_an_events_place_is_said_in_webvtts_words(tags: str, settings: str) -> None:
    assert ass(f"{{{tags}}}sign")[0].settings == settings


@pytest.mark.parametrize(
    ("tags", "margin", "settings"),
    [
        ("", 20, ""),
        ("", 288, "line:20%,end"),
        ("\\an8", 108, "line:30%"),
        ("\\an1", 180, "line:50%,end position:5% align:left"),
        ("\\an5", 180, "line:50%"),
    ],
)
def test_a_large_margin_is_a_place(tags: str, margin: int, settings: str) -> None:
    """A margin counts from the edge at which the line stands, in units of 360 a height."""
    event = f"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,{margin},,{{{tags}}}sign\n"
    assert captions.parse(HEAD + event)[0].settings == settings


def test_signs_and_dialogue_stay_apart_and_a_sign_drawn_frame_by_frame_is_one_cue() -> None:
    frames = "".join(
        f"Dialogue: 1,0:00:01.{frame * 4:02d},0:00:01.{frame * 4 + 4:02d},Default,,0,0,0,,{{\\an8}}SHOP\n"
        for frame in range(10)
    )
    cues = captions.parse(HEAD + "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Let's go in.\n" + frames)
    assert [(cue.text, cue.start, cue.end, cue.top) for cue in cues] == [
        ("SHOP", 1.0, 1.4, True),
        ("Let's go in.", 1.0, 2.0, False),
    ]


def test_ssa_has_other_numbers_for_places() -> None:
    text = (
        "[Script Info]\nScriptType: v4.00\n[V4 Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, TertiaryColour, "
        "BackColour, Bold, Italic, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, AlphaLevel, Encoding\n"
        "Style: Default,Arial,20,0,0,0,0,0,0,1,2,2,6,10,10,10,0,0\n\n[Events]\n"
        "Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,,0000,0000,0000,,Top\n"
    )
    assert [(cue.text, cue.settings) for cue in captions.parse(text)] == [("Top", "line:5%")]


# --- 3GPP timed text -------------------------------------------------------------------------------------------------------------


def test_timed_texts_styles_count_characters() -> None:
    text = "Où 😀 est-il ?"
    box = (22).to_bytes(4, "big") + b"styl" + b"\x00\x01" + b"\x00\x03\x00\x04\x00\x01\x03\x12" + b"\xff" * 4
    content, runs = tx3g.split(len(text.encode()).to_bytes(2, "big") + text.encode() + box)
    assert content.decode() == text
    assert tx3g.cue_text(text, runs) == "Où <b><i>😀</i></b> est-il ?"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_sample(sample: bytes) -> None:
    text, runs = tx3g.split(sample)
    tx3g.cue_text(text.decode("latin-1"), runs)


@pytest.mark.parametrize(
    "hostile", ["\n" * 300_000, "<c>" * 100_000, "{\\" * 150_000, "<script" * 40_000, "&a" * 150_000]
)
def test_a_hostile_file_is_read_or_refused_in_linear_time(hostile: str) -> None:
    """Where a pattern tries every pair of places, such a file takes minutes: the suite's time limit ends it."""
    for text in (
        hostile,
        SUBRIP.format(hostile),
        HEAD + f"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{hostile}",
    ):
        cues: list[captions.Cue] = []
        with contextlib.suppress(captions.NotSubtitles):
            cues = captions.parse(text)
        assert len(cues) <= 1


def test_a_tag_of_many_classes_that_never_ends_is_text() -> None:
    # It took n x n steps: hours for a megabyte, which the run's own time limit tells.
    text = f"<c{'.a' * 500_000}"
    [cue] = captions.parse(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}<b>x</b>\n")
    assert cue.text == f"&lt;c{'.a' * 500_000}<b>x</b>"
