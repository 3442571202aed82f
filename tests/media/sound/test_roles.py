"""What a track is for: by the container's flags, else by its title, which is a guess."""

import pytest

from marquee.media.sound.mixes import audio_label, default_owner, plan_mixes
from marquee.media.sound.roles import Role, role_of
from tests.harness.media.packaging import sound


@pytest.mark.parametrize(
    ("flags", "role"),
    [
        ({"default"}, "main"),
        ({"original"}, "main"),
        ({"dub"}, "dub"),
        ({"comment"}, "commentary"),
        ({"visual_impaired"}, "description"),
        ({"visual_impaired", "descriptions"}, "description"),
        ({"visual_impaired", "dub"}, "description"),
        ({"hearing_impaired"}, "clear-dialogue"),
        ({"clean_effects"}, "no-dialogue"),
        ({"karaoke"}, "no-dialogue"),
        (set(), "main"),
    ],
)
def test_flags_state_the_role(flags: set[str], role: str) -> None:
    assert role_of(flags, None) == Role(role)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Commentary", "commentary"),
        ("Director's commentary", "commentary"),
        ("Commentaries by the cast", "commentary"),
        ("Director_Commentary_Stereo", "commentary"),
        ("Commentaire du réalisateur", "commentary"),
        ("Commentaire audio", "commentary"),
        ("Audiokommentar", "commentary"),
        ("Regiekommentar", "commentary"),
        ("Kommentar mit dem Regisseur", "commentary"),
        ("Comentario del director", "commentary"),
        ("Comentários", "commentary"),
        ("Commento del regista", "commentary"),
        ("Audio description", "description"),
        ("Audio-Description", "description"),
        ("English AD", "description"),
        ("Descriptive audio", "description"),
        ("English [Audio Descriptive]", "description"),
        ("Descriptive Video Service", "description"),
        ("Audiodescription", "description"),
        ("Audiodeskription", "description"),
        ("Hörfilmfassung", "description"),
        ("Audiodescripción", "description"),
        ("Audiodescripcio\N{COMBINING ACUTE ACCENT}n", "description"),
        ("Clean audio", "clear-dialogue"),
        ("M&E", "no-dialogue"),
        ("Music and effects", "no-dialogue"),
    ],
)
def test_a_title_is_a_guess(title: str, role: str) -> None:
    assert role_of({"default"}, title) == Role(role, guessed=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "title",
    [
        "English",
        "Stereo",
        "Dolby Digital 5.1",
        "Star Wars VI",
        "A bad day",
        "Ad astra",
        "Original",
        "Surround",
        "Command",
        "",
    ],
)
def test_other_titles_say_nothing(title: str) -> None:
    assert role_of((), title) == Role("main")


def test_a_flag_is_believed_more_than_a_title_and_an_mp4s_handler_counts() -> None:
    assert role_of({"visual_impaired"}, "Kommentar") == Role("description")
    assert role_of((), None, "Director's Commentary") == Role("commentary", guessed=True)
    assert role_of((), None, "SoundHandler") == Role("main")


@pytest.mark.parametrize(
    ("language", "title", "role", "label"),
    [
        ("en", None, "main", "English"),
        ("en", "English", "main", "English"),
        ("en", None, "commentary", "English (commentary)"),
        ("en", "Commentary", "commentary", "English (commentary)"),
        ("en", "English commentary", "commentary", "English (commentary)"),
        ("en", "Director's commentary", "commentary", "English (Director's commentary)"),
        ("en", "Cast", "commentary", "English (commentary) (Cast)"),
        ("en", "AD", "description", "English (audio description)"),
        ("fr", "Audiodescription", "description", "French (audio description)"),
        ("fr", "Québec", "dub", "French (Québec)"),
        ("und", None, "commentary", "Commentary"),
        ("und", "Film", "main", "Film"),
        ("und", None, "main", "Original"),
    ],
)
def test_a_menu_names_language_and_role(language: str, title: str | None, role: str, label: str) -> None:
    assert audio_label(language, title, role) == label  # type: ignore[arg-type]


def test_the_default_is_never_a_commentary_or_a_description() -> None:
    streams = [
        sound(1, language="eng", role="commentary", default=True),
        sound(2, language="eng", role="description"),
        sound(3, language="eng"),
    ]
    mixes, notes = plan_mixes(streams)
    assert [(one.name, one.default) for one in mixes] == [
        ("en", True),
        ("en-commentary", False),
        ("en-description", False),
    ], "the film's own sound comes first"
    assert [one.code for one in notes] == ["sound-not-default"]


def test_the_default_is_the_setting_then_the_original_then_the_files_default_then_the_first() -> None:
    english, french = sound(1, language="eng"), sound(2, language="fra", original=True)
    german = sound(3, language="deu", default=True)
    streams = [english, french, german]
    assert default_owner(streams, "de") == 3
    assert default_owner(streams, "sv") == 2, "a film without the setting's language has its original one"
    assert default_owner(streams) == 2
    assert default_owner([english, german]) == 3
    assert default_owner([english, sound(4, language="ita")]) == 1
    assert default_owner([]) is None
    assert default_owner([sound(1, language="eng", role="commentary"), french], "en") == 2


def test_a_film_with_a_commentary_alone_is_heard_and_it_is_told() -> None:
    mixes, notes = plan_mixes([sound(1, role="commentary")])
    assert [one.default for one in mixes] == [True]
    assert [one.code for one in notes] == ["main-sound-missing"]


def test_a_guessed_role_is_told() -> None:
    _, notes = plan_mixes([sound(1), sound(2, title="Kommentar", role="commentary", role_guessed=True)])
    assert [(one.code, one.severity) for one in notes] == [("sound-role-guessed", "info")]
    assert "Kommentar" in notes[0].sentence
