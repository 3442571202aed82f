"""TLS of an engine by its URL: the same four parameters whichever engine it is.

`ca` (a PEM file of authorities, which then count alone; without it the machine's), `certificate` and `key` (PEM files that say
who we are, where the engine asks for it), `check_hostname` (true; false where certificates do not name the addresses that
the cluster announces). The certificate itself is always checked.
"""

import os
import ssl
from pathlib import Path
from typing import Final

from marquee.stores.connections.cluster_url import ClusterUrl

TLS_PARAMETERS: Final = ("ca", "certificate", "key", "check_hostname")


def tls_of(found: ClusterUrl, *, scheme: str) -> ssl.SSLContext | None:
    """None unless the URL's scheme is `scheme`, the one with TLS.

    Raises `SettingsInvalid` for a file that cannot be used, and for parameters of TLS where there is none.
    """
    given = {name: found.parameters[name] for name in TLS_PARAMETERS if name in found.parameters}
    if found.scheme != scheme:
        if given:
            raise found.refused(f"{', '.join(given)} goes with {scheme}://")
        return None
    if "key" in given and "certificate" not in given:
        raise found.refused("key goes with certificate")
    checked = given.get("check_hostname", "true").lower()
    if checked not in ("true", "false"):
        raise found.refused("check_hostname has to be true or false")
    ca = authorities_of(found)
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = checked == "true"
    pair = {name: _readable(found, name) for name in ("certificate", "key") if name in given}
    if pair:
        try:
            context.load_cert_chain(pair["certificate"], pair.get("key"), _no_pass_phrase)
        except (ValueError, OSError) as error:
            files = ", ".join(f"{name} {path}" for name, path in pair.items())
            raise found.refused(f"these have to be PEM files of one pair: {files} ({error})") from error
    return context


def authorities_of(found: ClusterUrl) -> Path | None:
    """The file that `ca` names, whole and absolute. Raises `SettingsInvalid` where it has no certificates."""
    if "ca" not in found.parameters:
        return None
    path = _readable(found, "ca")
    try:
        ssl.create_default_context(cafile=path)
    except (ValueError, OSError) as error:
        raise found.refused(f"ca, {path}, is no PEM file of authorities ({error})") from error
    return path


def _readable(found: ClusterUrl, name: str) -> Path:
    path = Path(found.parameters[name]).absolute()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise found.refused(f"{name} is {found.parameters[name]!r}, and there is no such file that can be read")
    return path


def _no_pass_phrase() -> str:
    """Without it the library would ask whoever sits at the terminal."""
    raise ValueError("the key has a pass phrase")
