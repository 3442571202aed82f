"""Which streams of a source become which audio renditions."""

from marquee.media.sound.mixes import MAX_MIXES, plan_mixes
from marquee.media.text.languages import language_label, language_tag
from tests.harness.media.packaging import sound


def test_container_tags_become_bcp_47() -> None:
    assert [language_tag(one) for one in ("eng", "fre", "ger", "pt-BR", "und", "", None, "klingon!", "xx")] == [
        *("en", "fr", "de", "pt-BR", "und", "und", "und", "und", "und")
    ]
    assert language_label("fr") == "French"
    assert language_label("und") is None


def test_stereo_gives_stereo_and_six_channels_give_both() -> None:
    mixes, notes = plan_mixes([sound(1, 2, language="eng"), sound(2, 6, language="fra", default=True), sound(3, 1)])
    assert [(mix.name, mix.streams, mix.outputs) for mix in mixes] == [
        ("en", (1,), (2,)),
        ("fr", (2,), (2, 6)),
        ("und", (3,), (2,)),
    ]
    assert [mix.default for mix in mixes] == [False, True, False]
    assert not notes


def test_eight_mono_streams_are_a_surround_mix_and_its_stereo_mix() -> None:
    mixes, notes = plan_mixes([sound(index, 1) for index in range(1, 9)], production=True)
    assert [(mix.streams, mix.outputs) for mix in mixes] == [((7, 8), (2,)), ((1, 2, 3, 4, 5, 6), (6,))]
    assert {one.name for mix in mixes for one in mix.renditions} == {"und-stereo", "und-low", "und-surround"}
    assert all(mix.default for mix in mixes), "the two layouts of one mix must both be the default"
    assert [one.code for one in notes] == ["mono-joined"], "a guess is told"


def test_mono_streams_that_nothing_explains_are_left_out_with_a_sentence() -> None:
    mixes, notes = plan_mixes([sound(index, 1) for index in (1, 2, 3, 4)], production=True)
    assert [mix.streams for mix in mixes] == [(1, 2)]
    assert [one.code for one in notes] == ["mono-joined", "mono-left-out"]
    assert "3, 4 are left out" in notes[1].sentence


def test_mono_streams_without_evidence_are_all_kept_and_it_is_told() -> None:
    mixes, notes = plan_mixes([sound(index, 1) for index in (1, 2, 3, 4)])
    assert [mix.streams for mix in mixes] == [(1,), (2,), (3,), (4,)]
    assert [mix.default for mix in mixes] == [True, False, False, False]
    assert [one.code for one in notes] == ["mono-kept-apart"]


def test_titled_mono_streams_stay_mixes_of_their_own() -> None:
    mixes, _ = plan_mixes([sound(1, 1, title="Film"), sound(2, 1, title="Commentary")])
    assert [(mix.label, mix.streams) for mix in mixes] == [("Film", (1,)), ("Commentary", (2,))]


def test_tracks_of_one_language_have_different_names_and_the_number_is_bounded() -> None:
    mixes, notes = plan_mixes([sound(index, 2, language="eng") for index in range(12)])
    assert [mix.name for mix in mixes][:3] == ["en", "en-2", "en-3"]
    assert [mix.label for mix in mixes][:3] == ["English", "English 2", "English 3"]
    assert len(mixes) == MAX_MIXES
    assert len(notes) == 12 - MAX_MIXES
    assert sum(mix.default for mix in mixes) == 1
