"""What a subtitle file's name says of its language and kind, and how a track is called in a player's menu."""

import pytest

from marquee.media.text.languages import says_commentary, says_forced, says_hearing_impaired, text_label
from marquee.media.text.sidecar_names import read_name


@pytest.mark.parametrize(
    ("name", "language", "kinds"),
    [
        ("film.de.srt", "de", ""),
        ("de.srt", "de", ""),
        ("eng.srt", "en", ""),
        ("film.pt-BR.forced.srt", "pt-BR", "forced"),
        ("film.forced.pt_BR.srt", "pt-BR", "forced"),
        ("film.en.sdh.srt", "en", "hearing_impaired"),
        ("film.en.cc.vtt", "en", "hearing_impaired"),
        ("Film (2009).eng.hi.srt", "en", "hearing_impaired"),
        ("film.hi.srt", "hi", ""),
        ("film.hi.hi.srt", "hi", "hearing_impaired"),
        ("film.en.hi.forced.srt", "en", "forced hearing_impaired"),
        ("film.jpn.commentary.ass", "ja", "commentary"),
        ("film.fre.srt", "fr", ""),
        ("film.fra.srt", "fr", ""),
        ("film.ger.srt", "de", ""),
        ("film.chi.srt", "zh", ""),
        ("film.zho.srt", "zh", ""),
        ("film.nor.srt", "no", ""),
        ("film.zh-Hans.srt", "zh-Hans", ""),
        ("film.zh-CN.srt", "zh-CN", ""),
        ("film.sr-Latn.srt", "sr-Latn", ""),
        ("film.es-419.srt", "es-419", ""),
        ("film.iw.srt", "he", ""),
        ("film.EN.SRT", "en", ""),
        ("film [en].srt", "en", ""),
        ("film_de.srt", "de", ""),
        ("film.English.srt", "en", ""),
        ("film.Deutsch.forced.srt", "de", "forced"),
        ("film.srt", "und", ""),
        ("The.film.srt", "und", ""),
        ("Dr.No.srt", "und", ""),
        ("her.srt", "und", ""),
        ("spider-man.srt", "und", ""),
        ("the_man.srt", "und", ""),
        ("forced.srt", "und", "forced"),
        ("film.xx.srt", "und", ""),
        ("", "und", ""),
        (".srt", "und", ""),
    ],
)
def test_a_name_says_language_and_kind(name: str, language: str, kinds: str) -> None:
    said = read_name(name)
    found = [one for one in ("forced", "hearing_impaired", "commentary") if getattr(said, one)]
    assert (said.language, found) == (language, kinds.split())


@pytest.mark.parametrize(
    ("tag", "title", "kinds", "label"),
    [
        ("de", None, "", "German"),
        ("de", "Deutsch", "", "German"),
        ("en", "English (SDH)", "hearing_impaired", "English (SDH)"),
        ("fr", None, "forced", "French (forced)"),
        ("pt-BR", None, "", "Portuguese (Brazil)"),
        ("zh-Hans", None, "", "Chinese (Simplified)"),
        ("ja", "Signs & Songs", "", "Japanese (Signs & Songs)"),
        ("en", "Director's commentary", "commentary", "English (commentary) (Director's)"),
        ("en", "SubtitleHandler", "", "English"),
        ("und", "Director", "", "Director"),
        ("und", None, "", "Subtitles"),
        ("zxx", None, "forced", "Subtitles (forced)"),
    ],
)
def test_a_track_is_called_by_its_language(tag: str, title: str | None, kinds: str, label: str) -> None:
    assert text_label(tag, title, **dict.fromkeys(kinds.split(), True)) == label


def test_a_containers_title_says_the_kind_that_no_flag_says() -> None:
    assert says_forced("English (Forced)")
    assert not says_forced("Enforced")
    assert says_hearing_impaired("English [SDH]")
    assert says_hearing_impaired("Hard of Hearing")
    assert not says_hearing_impaired("Accent")
    assert says_commentary("Commentary by the director")
