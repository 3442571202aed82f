"""How settings are grouped and described, and what becomes of a setting that has a new name."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from marquee.errors import SettingsInvalid
from marquee.settings import ENVIRONMENT_FILE, Settings, load_settings
from marquee.settings.groups import GROUPS
from marquee.settings.renamed import NEW_NAMES, RENAMED

FIELDS = [(name, info) for group in GROUPS for name, info in group.model_fields.items()]


def test_every_setting_is_in_exactly_one_group() -> None:
    names = [name for name, _ in FIELDS]
    assert sorted(names) == sorted(Settings.model_fields), "a field of `Settings` belongs into a class of groups.GROUPS"


@pytest.mark.parametrize(("name", "info"), FIELDS, ids=[name for name, _ in FIELDS])
def test_a_description_is_a_sentence_that_says_the_unit(name: str, info: object) -> None:
    description = getattr(info, "description", None) or ""
    assert description[:1].isupper(), f"{name}: a description begins with a capital letter: {description!r}"
    assert description.endswith("."), f"{name}: a description ends with a full stop: {description!r}"
    for unit in ("seconds", "bytes", "pixels", "vmaf"):
        if name.endswith(f"_{unit}"):
            assert description.lower().startswith(unit), f"{name}: a description begins with its unit: {description!r}"


@pytest.mark.parametrize(("old", "new"), NEW_NAMES.items())
def test_renamed_settings_are_renamed_to_something(old: str, new: str) -> None:
    assert old not in Settings.model_fields, f"{old} is still a setting"
    assert new in Settings.model_fields, f"{old} is said to be {new} now, which is no setting"


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_works_and_warns(old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MARQUEE_{old.upper()}", "12345")
    with capture_logs() as logged:
        settings = load_settings(state=tmp_path)
    assert getattr(settings, new) == 12345
    (warning,) = logged
    assert warning["log_level"] == "warning"
    assert f"MARQUEE_{old.upper()} is now called MARQUEE_{new.upper()}" in warning["event"]


@pytest.mark.parametrize("url", ["grpc://code:8415", "grpc://code:8415/"])
def test_the_one_code_server_of_before_is_the_one_of_ingest(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARQUEE_DAGSTER_CODE_URL", url)
    with capture_logs() as logged:
        settings = load_settings(state=tmp_path)
    assert settings.dagster_code_urls == "ingest=grpc://code:8415"
    assert settings.given_dagster_code == {"ingest": "grpc://code:8415"}
    (warning,) = logged
    assert "MARQUEE_DAGSTER_CODE_URL is now called MARQUEE_DAGSTER_CODE_URLS" in warning["event"]


@pytest.mark.parametrize(
    "value", ["grpc://code:8415", "elsewhere=grpc://code:8415", "ingest=http://code:8415", "ingest=grpc://code"]
)
def test_a_code_server_without_its_location_or_port_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="MARQUEE_DAGSTER_CODE_URLS cannot be used") as refused:
        load_settings(state=tmp_path, dagster_code_urls=value)
    assert "ingest" in refused.value.detail, "it does not say which locations there are"


@pytest.mark.parametrize("variable", ["MARQUEE_TOKEN_SECONDS", "marquee_token_seconds", "Marquee_Token_Seconds"])
def test_an_old_name_in_the_state_folder_works_too(variable: str, tmp_path: Path) -> None:
    (tmp_path / ENVIRONMENT_FILE).write_text(f"{variable}=111\n")
    with capture_logs() as logged:
        assert load_settings(state=tmp_path).access_token_seconds == 111
    assert len(logged) == 1


@pytest.mark.parametrize("stored", [True, False], ids=["new name in the state folder", "both in the environment"])
def test_of_both_names_the_new_one_counts(stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_TOKEN_SECONDS", "111")
    if stored:
        (tmp_path / ENVIRONMENT_FILE).write_text("MARQUEE_ACCESS_TOKEN_SECONDS=222\n")
    else:
        monkeypatch.setenv("MARQUEE_ACCESS_TOKEN_SECONDS", "222")
    with capture_logs() as logged:
        assert load_settings(state=tmp_path).access_token_seconds == 222
    (warning,) = logged
    assert "MARQUEE_TOKEN_SECONDS is ignored" in warning["event"]
    assert "MARQUEE_ACCESS_TOKEN_SECONDS" in warning["event"]


def test_equal_values_under_both_names_warn_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_TOKEN_SECONDS", "111")
    monkeypatch.setenv("MARQUEE_ACCESS_TOKEN_SECONDS", "111")
    with capture_logs() as logged:
        assert load_settings(state=tmp_path).access_token_seconds == 111
    assert not logged


def test_a_bad_value_under_an_old_name_is_refused_by_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARQUEE_TOKEN_SECONDS", "soon")
    with pytest.raises(SettingsInvalid, match=r"^MARQUEE_TOKEN_SECONDS cannot be used") as refused:
        load_settings(state=tmp_path)
    assert refused.value.field == "MARQUEE_TOKEN_SECONDS"
    assert "It is now called MARQUEE_ACCESS_TOKEN_SECONDS." in refused.value.detail


def test_a_bad_code_server_of_before_is_refused_by_the_name_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARQUEE_DAGSTER_CODE_URL", "grpc://code")
    with pytest.raises(SettingsInvalid, match=r"^MARQUEE_DAGSTER_CODE_URL cannot be used"):
        load_settings(state=tmp_path)


def test_a_removed_setting_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_ENCODING_PRESET", "slow")
    with capture_logs() as logged:
        load_settings(state=tmp_path)
    (warning,) = logged
    assert warning["log_level"] == "warning"
    assert "MARQUEE_ENCODING_PRESET has no effect any more" in warning["event"]
    assert "MARQUEE_PROFILE" in warning["event"]
