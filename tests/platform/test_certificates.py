"""The public endpoints' certificate: wrong files are refused by name, a renewal is used at once, a wrong one is not."""

import re
from pathlib import Path

import pytest

from marquee.errors import SettingsInvalid
from marquee.platform import certificate_renewal
from marquee.platform.certificate_renewal import Renewal
from marquee.platform.certificates import PemFiles, install, pem_files, publish, read_pair, tls_warnings
from marquee.platform.examination import examine
from marquee.settings import Settings
from tests.harness.authority import Authority
from tests.harness.servers import make_test_settings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def files(tmp_path: Path, authority: Authority) -> PemFiles:
    found = PemFiles(tmp_path / "public.pem", tmp_path / "public.key")
    write(found, authority.issue())
    return found


def write(files: PemFiles, pair: tuple[bytes, bytes]) -> None:
    files.certificate.write_bytes(pair[0])
    files.key.write_bytes(pair[1])


def settings_of(state: Path, files: PemFiles) -> Settings:
    return make_test_settings(state, tls_certificate=str(files.certificate), tls_key=str(files.key))


def test_a_pair_is_copied_privately_for_a_program(tmp_path: Path, files: PemFiles) -> None:
    tls = install(settings_of(tmp_path / "state", files), "edge-1")
    assert tls is not None
    assert tls.certificate.read_bytes() == files.certificate.read_bytes()
    assert tls.key.stat().st_mode & 0o077 == 0, "others can read the key"


def test_files_with_text_in_another_encoding_than_utf_8_are_copied_as_they_are(
    tmp_path: Path, authority: Authority, files: PemFiles
) -> None:
    certificate, key = authority.issue()
    comment = "friendlyName: Schlüssel\n".encode("latin-1")
    write(files, (comment + certificate, comment + key))
    publish(tmp_path / "tls", read_pair(files))
    assert (tmp_path / "tls" / "current" / "key.pem").read_bytes() == comment + key


def test_the_watch_goes_on_after_a_failure(tmp_path: Path, files: PemFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    renewal, looks = Renewal(files, tmp_path), []

    def look() -> bool:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("a fault")
        monkeypatch.setattr(certificate_renewal.os, "getppid", lambda: 0)
        return False

    monkeypatch.setattr(renewal, "look", look)
    monkeypatch.setattr(certificate_renewal, "CHECK_SECONDS", 0)
    certificate_renewal.watch(renewal, certificate_renewal.os.getppid(), reload=False)
    assert len(looks) == 2, "a single failure ends the watch, and nobody renews the certificate"


def test_without_files_there_is_no_tls_and_with_one_the_other_is_named(tmp_path: Path) -> None:
    assert pem_files(make_test_settings(tmp_path)) is None
    with pytest.raises(SettingsInvalid, match="MARQUEE_TLS_KEY is not set"):
        pem_files(make_test_settings(tmp_path, tls_certificate="/c.pem"))
    with pytest.raises(SettingsInvalid, match="MARQUEE_TLS_CERTIFICATE is not set"):
        pem_files(make_test_settings(tmp_path, tls_key="/k.pem"))


def test_the_endpoints_urls_are_https_with_a_certificate(tmp_path: Path, files: PemFiles) -> None:
    settings = settings_of(tmp_path, files)
    for url in (settings.public, settings.public_s3, *settings.edges):
        assert url.startswith("https://"), url
    assert settings.objects.startswith("s3+http://"), "inner addresses stay as they are"


def wrong_files(authority: Authority) -> dict[str, tuple[bytes, bytes, str]]:
    """What is wrong -> (certificate, key, what the error says)."""
    certificate, key = authority.issue()
    other_certificate, other_key = authority.issue()
    first, rest = certificate.split(b"-----END CERTIFICATE-----\n", 1)
    leaf = first + b"-----END CERTIFICATE-----\n"
    return {
        "nothing": (b"", key, "TLS_CERTIFICATE.*no PEM file"),
        "text": (b"certificate", key, "TLS_CERTIFICATE.*no PEM file"),
        "half a certificate": (certificate[:300], key, "TLS_CERTIFICATE.*no PEM file"),
        "no key": (certificate, b"", "TLS_KEY.*no PEM file"),
        "half a key": (certificate, key[:100], "TLS_KEY.*no PEM file"),
        "another key": (certificate, other_key, "TLS_KEY.*not the key"),
        "the chain first": (rest + leaf, key, "TLS_KEY.*not the key"),
        "another chain": (leaf + other_certificate, key, "did not issue"),
        "expired": (*authority.issue(begins_days=-9, ends_days=-1), "expired"),
        "not yet valid": (*authority.issue(begins_days=2), "valid only from"),
    }


def test_files_that_cannot_be_used_are_refused_by_the_settings_name(authority: Authority, files: PemFiles) -> None:
    for what, (certificate, key, said) in wrong_files(authority).items():
        write(files, (certificate, key))
        with pytest.raises(SettingsInvalid) as refused:
            read_pair(files)
        assert re.search(said, refused.value.detail), f"{what}: {refused.value.detail}"
    files.certificate.unlink()
    with pytest.raises(SettingsInvalid, match=r"TLS_CERTIFICATE cannot be used: .*public\.pem: it cannot be read"):
        read_pair(files)


def test_an_expiry_that_is_near_is_a_warning(authority: Authority, files: PemFiles) -> None:
    assert read_pair(files).warning is None
    write(files, authority.issue(ends_days=5))
    assert "expires at" in (read_pair(files).warning or "")


def test_a_renewal_is_taken_once_it_is_whole_and_a_wrong_one_never(
    authority: Authority, files: PemFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "tls"
    publish(folder, read_pair(files))
    before = (folder / "current").readlink()
    renewal = Renewal(files, folder)
    assert not renewal.look()
    for what, (certificate, key, _) in wrong_files(authority).items():
        write(files, (certificate, key))
        assert not any(renewal.look() for _ in range(3)), f"{what}: it is used"
        assert (folder / "current").readlink() == before, what
    files.key.unlink()
    assert not any(renewal.look() for _ in range(3))
    new = authority.issue()
    files.certificate.write_bytes(new[0])
    assert not any(renewal.look() for _ in range(3)), "the new certificate is used with the old key"
    files.key.write_bytes(new[1])
    assert any(renewal.look() for _ in range(3)), "a whole renewal is not used"
    assert (folder / "current" / "certificate.pem").read_bytes() == new[0]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["current", (folder / "current").readlink().name])
    assert certificate_renewal.CHECK_SECONDS <= 10


def test_an_operator_is_warned_of_public_endpoints_without_tls_and_of_a_near_end(
    authority: Authority, files: PemFiles, tmp_path: Path
) -> None:
    def warnings(**settings: object) -> list[str]:
        return tls_warnings(make_test_settings(tmp_path, **settings))

    given = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        assert warnings(bind_host=host) == [], host
    assert warnings(bind_host="0.0.0.0", public_url="https://watch.example") == [], "a proxy with TLS is in front"
    assert warnings(bind_host="0.0.0.0", **given) == []
    for host in ("0.0.0.0", "::", "192.0.2.1", "host.example"):
        [warning] = warnings(bind_host=host)
        assert host in warning
        assert "MARQUEE_TLS_CERTIFICATE" in warning
    write(files, authority.issue(ends_days=3))
    [warning] = warnings(**given)
    assert "expires at" in warning
    [finding] = [one for one in examine(make_test_settings(tmp_path, **given)) if one.name == "TLS"]
    assert (finding.state, finding.detail) == ("optional", warning)
