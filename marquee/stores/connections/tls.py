"""Turns the TLS parameters of an engine's URL into an `ssl.SSLContext`. All engines have the same four parameters.

`ca`: a PEM file of authorities, used instead of the machine's. `certificate` and `key`: PEM files of this client's own
certificate, for engines that ask for one. `check_hostname` (default true): false if the certificates do not contain the
addresses that the cluster announces. The certificate itself is always checked.
"""

import os
import ssl
from pathlib import Path
from typing import Final

from marquee.stores.connections.cluster_url import ClusterUrl

TLS_PARAMETERS: Final = ("ca", "certificate", "key", "check_hostname")


def tls_of(url: ClusterUrl, *, scheme: str) -> ssl.SSLContext | None:
    """The TLS context of a URL whose scheme is `scheme`, the engine's scheme with TLS; None for another scheme.

    Raises `SettingsInvalid` for an unusable file, and for TLS parameters of a URL without TLS.
    """
    given = {name: url.parameters[name] for name in TLS_PARAMETERS if name in url.parameters}
    if url.scheme != scheme:
        if given:
            raise url.refused(f"{', '.join(given)} goes with {scheme}://; use that scheme or remove it")
        return None
    if "key" in given and "certificate" not in given:
        raise url.refused("key goes with certificate; give both or remove key")
    checked = given.get("check_hostname", "true").lower()
    if checked not in ("true", "false"):
        raise url.refused("check_hostname has to be true or false")
    ca = authorities_of(url)
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = checked == "true"
    pair = {name: _readable(url, name) for name in ("certificate", "key") if name in given}
    if pair:
        try:
            context.load_cert_chain(pair["certificate"], pair.get("key"), _no_pass_phrase)
        except (ValueError, OSError) as error:
            files = ", ".join(f"{name} {path}" for name, path in pair.items())
            raise url.refused(
                f"certificate and key have to be PEM files of one pair, without a pass phrase: {files} ({error})"
            ) from error
    return context


def authorities_of(url: ClusterUrl) -> Path | None:
    """The absolute path of the `ca` file; None without `ca`. Raises `SettingsInvalid` if it has no certificates."""
    if "ca" not in url.parameters:
        return None
    path = _readable(url, "ca")
    try:
        ssl.create_default_context(cafile=path)
    except (ValueError, OSError) as error:
        raise url.refused(f"ca, {path}, is no PEM file of authorities ({error}); give one") from error
    return path


def _readable(url: ClusterUrl, name: str) -> Path:
    path = Path(url.parameters[name]).absolute()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise url.refused(f"{name} is {url.parameters[name]!r}, and there is no such file that this process can read")
    return path


def _no_pass_phrase() -> str:
    """Refuses a key with a pass phrase. Without this callback OpenSSL would ask for one on the terminal."""
    raise ValueError("the key has a pass phrase")
