"""The certificate of the public endpoints: checked, copied for each program, replaced when the files change.

`MARQUEE_TLS_CERTIFICATE` and `MARQUEE_TLS_KEY` name PEM files of the operator. A program never reads those: it reads a checked
copy below `STATE/<program>/tls`, through the symbolic link `current`. The link is replaced in one step, so a program sees a
whole pair. A renewal that is half-written or wrong is not copied, and the earlier pair stays (`certificate_renewal`).
"""

import datetime
import hashlib
import ipaddress
import itertools
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marquee.errors import SettingsInvalid
from marquee.platform.state import UNUSABLE_IN_PATHS, write_privately
from marquee.settings import Settings

WARN_DAYS: Final = 14
"""`marquee doctor`, a start and the programs' logs warn when the certificate has fewer days left."""
CERTIFICATE, KEY = "MARQUEE_TLS_CERTIFICATE", "MARQUEE_TLS_KEY"


@dataclass(frozen=True)
class PemFiles:
    """The operator's two files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Pair:
    """A checked pair: the bytes of both files, and what the certificate says."""

    certificate: bytes
    key: bytes
    expires_at: datetime.datetime
    names: tuple[str, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.certificate + b"\0" + self.key).hexdigest()[:16]

    @property
    def days_left(self) -> int:
        return (self.expires_at - datetime.datetime.now(datetime.UTC)).days

    @property
    def warning(self) -> str | None:
        """A sentence when the expiry is near, else None."""
        if self.days_left >= WARN_DAYS:
            return None
        return (
            f"The certificate of {CERTIFICATE} expires at {self.expires_at:%Y-%m-%d %H:%M} UTC: replace both files. "
            "Running programs take the new pair by themselves."
        )


def pem_files(settings: Settings) -> PemFiles | None:
    """The files of the settings; None without TLS. Raises `SettingsInvalid` if only one of them is given."""
    given = {CERTIFICATE: settings.tls_certificate, KEY: settings.tls_key}
    if not any(given.values()):
        return None
    for variable, value in given.items():
        if not value:
            raise SettingsInvalid(
                f"{variable} is not set, and TLS needs {CERTIFICATE} and {KEY}: set both, or neither.", field=variable
            )
    return PemFiles(*(Path(value).expanduser().absolute() for value in given.values()))


def read_pair(files: PemFiles) -> Pair:
    """Read and check both files. Raises `SettingsInvalid`, which names the setting and what is wrong with its file."""
    # Imported here: a platform without TLS does not pay for it.
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    certificate, key = _content(CERTIFICATE, files.certificate), _content(KEY, files.key)
    try:
        chain = x509.load_pem_x509_certificates(certificate)
    except ValueError as error:
        raise _refused(CERTIFICATE, files.certificate, f"it is no PEM file of certificates ({error})") from error
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except TypeError as error:
        raise _refused(KEY, files.key, "its key has a pass phrase; store it without one") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(KEY, files.key, f"it is no PEM file of a private key ({error})") from error
    leaf = chain[0]
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        certified = leaf.public_key().public_bytes(*form)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(
            CERTIFICATE, files.certificate, f"its key is of a kind that is not known here ({error})"
        ) from error
    if certified != private.public_key().public_bytes(*form):
        raise _refused(KEY, files.key, f"it is not the key of the first certificate in {files.certificate}")
    now = datetime.datetime.now(datetime.UTC)
    for number, one in enumerate(chain, 1):
        if one.not_valid_after_utc <= now:
            reason = f"certificate {number} expired at {one.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
            raise _refused(CERTIFICATE, files.certificate, reason)
        if one.not_valid_before_utc > now:
            reason = f"certificate {number} is valid only from {one.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on"
            raise _refused(CERTIFICATE, files.certificate, reason)
    for number, (one, issuer) in enumerate(itertools.pairwise(chain), 1):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
            reason = (
                f"certificate {number + 1} did not issue certificate {number}: first your own, then each one's issuer"
            )
            raise _refused(CERTIFICATE, files.certificate, reason) from error
    try:
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(name) for kind in (x509.DNSName, x509.IPAddress) for name in named.get_values_for_type(kind))
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        names = ()
    if not names:
        raise _refused(CERTIFICATE, files.certificate, "it names no host (subjectAltName), so no client accepts it")
    return Pair(certificate, key, min(one.not_valid_after_utc for one in chain), names)


def _content(variable: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(variable, path, f"it cannot be read: {error.strerror}") from error


def _refused(variable: str, path: Path, reason: str) -> SettingsInvalid:
    return SettingsInvalid(f"{variable} cannot be used: {path}: {reason}.", field=variable)


def publish(folder: Path, pair: Pair) -> bool:
    """Make this pair the current one of a program. False if it is already."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    current, made = folder / "current", folder / pair.digest
    if current.is_symlink() and current.readlink() == Path(made.name) and (made / "key.pem").is_file():
        return False
    made.mkdir(exist_ok=True, mode=0o700)
    write_privately(made / "certificate.pem", pair.certificate)
    write_privately(made / "key.pem", pair.key)
    making = folder / ".current"
    making.unlink(missing_ok=True)
    making.symlink_to(made.name)
    making.rename(current)
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink() and old != made:
            shutil.rmtree(old)
    return True


@dataclass(frozen=True)
class InstalledTls:
    """What a program's configuration needs: its checked copies, the folder that changes, and the HSTS header's value."""

    files: PemFiles
    folder: Path
    hsts: str

    @property
    def certificate(self) -> Path:
        return self.folder / "current" / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "current" / "key.pem"


def tls_warnings(settings: Settings) -> list[str]:
    """Sentences about what an operator should mend: no TLS on a public address, a certificate that ends soon.

    Raises `SettingsInvalid` for files that cannot be used.
    """
    files = pem_files(settings)
    if files is not None:
        warning = read_pair(files).warning
        return [warning] if warning else []
    if _is_loopback(settings.bind_host) or settings.public_url.startswith("https:"):
        return []
    return [
        f"The public endpoints listen on {settings.bind_host} without TLS: passwords and tokens can be read on the way. Set "
        f"{CERTIFICATE} and {KEY}, or put a proxy with TLS in front and set MARQUEE_PUBLIC_URL to its https address."
    ]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def renewing(command: tuple[str, ...], tls: InstalledTls | None, *, reload: bool = True) -> tuple[str, ...]:
    """The command of a program that takes renewed certificates by itself. `reload`: it has to be told, by SIGHUP."""
    if tls is None:
        return command
    watched = (str(tls.files.certificate), str(tls.files.key), str(tls.folder), *(["--reload"] * reload))
    return (sys.executable, "-m", "marquee.platform.certificate_renewal", *watched, "--", *command)


def install(settings: Settings, program: str) -> InstalledTls | None:
    """Check the operator's files and copy them for a program. None without TLS. Raises `SettingsInvalid`."""
    files = pem_files(settings)
    if files is None:
        return None
    folder = settings.state / program / "tls"
    if unusable := set(str(files.certificate) + str(files.key)) & set(UNUSABLE_IN_PATHS):
        raise SettingsInvalid(
            f"{CERTIFICATE} cannot be used: a path has {' '.join(sorted(unusable))!r} in it.", field=CERTIFICATE
        )
    publish(folder, read_pair(files))
    return InstalledTls(files, folder, f"max-age={settings.hsts_seconds}" if settings.hsts_seconds else "")
