# ruff: noqa: RUF001 - letters of all languages
"""A subtitle file of any encoding becomes its text, or is refused with a guess. It is never read wrongly."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.media.text import encodings
from marquee.media.text.sidecars import SidecarUnreadable, read_sidecar
from tests.harness.media.sentences import ENCODED, SENTENCES, UNICODE, files_in_old_encodings, subrip

OLD = [(language, encoding) for language, several in ENCODED.items() for encoding in several]


def same_letters(text: str) -> str:
    """Romanian's cedillas and commas are one letter in its encodings."""
    return text.translate(str.maketrans("ŞşŢţ", "ȘșȚț"))


@pytest.mark.parametrize("repeated", [1, 5])
@pytest.mark.parametrize(("language", "encoding"), OLD, ids=[f"{language}-{encoding}" for language, encoding in OLD])
def test_an_old_encoding_is_found_with_the_language_of_the_name(language: str, encoding: str, repeated: int) -> None:
    text = subrip(SENTENCES[language] * repeated)
    found = encodings.decode(text.encode(encoding), language=language)
    assert same_letters(found.text) == same_letters(text), f"{encoding} was read as {found.encoding}"
    assert found.guessed or encoding.startswith("iso2022"), "a guess is not told"


def test_without_a_language_a_file_is_right_or_refused_and_never_wrong() -> None:
    refused = []
    for language, encoding, text in files_in_old_encodings(4):
        try:
            found = encodings.decode(text.encode(encoding))
        except encodings.EncodingUnknown as reason:
            refused.append((language, encoding, reason.guess))
        else:
            assert same_letters(found.text) == same_letters(text), (
                f"{language} in {encoding} was read as {found.encoding}"
            )
    assert len(refused) <= len(OLD) / 4, f"too many files are refused without a language: {refused}"


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("language", ["en", "ja", "ar"])
def test_unicode_is_no_guess(language: str, encoding: str) -> None:
    text = subrip(["Plain words"] if language == "en" else SENTENCES[language], joint="\n")
    found = encodings.decode(text.encode(encoding), language="und")
    assert (found.text, found.guessed, found.replaced) == (text, False, 0)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_a_big_endian_mark_is_read(mark: bytes) -> None:
    name = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    assert encodings.decode(mark + "Ä".encode(name)).text == "Ä"


def test_a_stated_encoding_is_not_doubted() -> None:
    words = subrip(SENTENCES["ru"]).encode("cp1251")
    assert "Ïî÷åìó" in encodings.decode(words, language="ru", stated="cp1252").text
    with pytest.raises(encodings.EncodingUnknown, match="byte"):
        encodings.decode(b"\x81\x8d", stated="cp1252")


@pytest.mark.parametrize(
    ("stated", "name"),
    [("Windows-1251", "cp1251"), ("latin1", "iso8859-1"), ("SJIS", "shift_jis"), ("UTF8", "utf-8"), ("big5", "big5"),
     ("IBM866", "cp866"), ("windows 1252", "cp1252"), ("KOI8-R", "koi8-r"), ("base64", None), ("idna", None), ("x", None),
     ("utf-7", None), ("unicode_escape", None)],
)  # fmt: skip
def test_an_encoding_may_be_named_as_people_do(stated: str, name: str | None) -> None:
    assert encodings.canonical_encoding(stated) == name


def test_a_few_damaged_bytes_in_utf8_are_counted() -> None:
    good = subrip(SENTENCES["ru"]).encode()
    found = encodings.decode(good + b"\xff", language="ru")
    assert (found.encoding, found.replaced, found.text[:-1]) == ("utf-8", 1, good.decode())


@pytest.mark.parametrize("content", [b"\x00\x01\x02binary\x00", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"])
def test_a_file_that_is_not_text_is_refused(content: bytes) -> None:
    with pytest.raises(SidecarUnreadable, match="is not text"):
        read_sidecar(content, "film.srt", index=0, language="en")


def test_a_refusal_names_file_guess_and_remedy() -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\nCafé\n".encode("cp1252")
    with pytest.raises(SidecarUnreadable) as refused:
        read_sidecar(content, "film.srt", index=0, language="und")
    for word in ("film.srt", "windows-1252", "UTF-8", "language"):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("language", "encoding", "words"),
    [
        ("ko", "iso2022_kr", "안녕하세요, 자막입니다"),
        ("zh", "hz", "你好，世界"),
        ("ja", "iso2022_jp", "これは字幕です"),
        ("ja", "cp932", "ﾊﾝｶｸｶﾅﾉｼﾞﾏｸﾃﾞｽ。彼はﾃﾚﾋﾞを見る①㈱～"),
        ("ko", "cp949", "찦차를 타고 온 펲시맨과 쑛다리 똠방각하"),
        ("zh-HK", "big5hkscs", "佢哋喺度食嘢，冇嘢做。嗰啲嘢係邊個㗎？嚟啦"),
        ("zh", "gb18030", "他叫𠮷野，住在㐂村，𪚥是一个生僻字"),
        ("tg", "koi8_t", "Салом, чӣ хел ҳастед? Ман ба хона меравам"),
        ("eo", "iso8859-3", "Ĉu vi ŝatas ĝin? Ĵaŭdo aŭ ĥoro"),
    ],
)
def test_rare_characters_and_rare_encodings_are_read(language: str, encoding: str, words: str) -> None:
    text = subrip([words])
    assert encodings.decode(text.encode(encoding), language=language).text == text


@pytest.mark.parametrize(("language", "older"), [("cs", "cp1250"), ("ru", "cp1251"), ("ja", "cp932"), ("fr", "cp1252")])
def test_a_file_that_was_joined_from_two_encodings_is_read_line_by_line(language: str, older: str) -> None:
    text = subrip(SENTENCES[language])
    for content in (text.encode() + text.encode(older), text.encode(older) + text.encode()):
        found = encodings.decode(content, language=language)
        assert found.text == text * 2
        assert found.guessed, "a guess is not told"


def test_a_mark_of_utf8_before_older_text_is_not_believed() -> None:
    text = subrip(SENTENCES["fr"])
    assert encodings.decode(codecs.BOM_UTF8 + text.encode("cp1252"), language="fr").text == text


def test_two_halves_of_a_character_are_joined() -> None:
    """Java's and some databases' UTF-8 stores an emoji as two surrogates."""
    assert encodings.decode(b"Smile \xed\xa0\xbd\xed\xb8\x80 now", language="en").text == "Smile \U0001f600 now"


def test_two_files_of_utf16_in_different_orders() -> None:
    words = "Žluťoučký kůň"
    first, second = codecs.BOM_UTF16_LE + words.encode("utf-16-le"), codecs.BOM_UTF16_BE + words.encode("utf-16-be")
    assert encodings.decode(first + second).text == words * 2
    assert encodings.decode(second + first).text == words * 2


@given(st.binary(max_size=400), st.sampled_from(["und", "en", "ru", "ja", "zh-TW"]))
def test_any_bytes_are_read_or_refused(content: bytes, language: str) -> None:
    try:
        found = encodings.decode(content, language=language)
    except encodings.EncodingUnknown:
        return
    else:
        assert found.encoding in encodings.ALLOWED
