"""TLS of an engine by its URL: the same four parameters whichever engine it is.

`ca` (a PEM file of authorities; without it the machine's), `certificate` and `key` (PEM files that say who we are, where the
engine asks for it), `check_hostname` (true; false where certificates do not name the addresses that the cluster announces).
The certificate itself is always checked.
"""

import ssl
from typing import Final

from marquee.stores.cluster_url import ClusterUrl

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
    try:
        context = ssl.create_default_context(cafile=given.get("ca") or None)
    except (ValueError, OSError) as error:
        raise found.refused(f"ca is no PEM file of authorities: {error}") from error
    try:
        if "certificate" in given:
            context.load_cert_chain(given["certificate"], given.get("key") or None, _no_pass_phrase)
    except (ValueError, OSError) as error:
        raise found.refused(f"certificate and key are no PEM files of one another: {error}") from error
    context.check_hostname = checked == "true"
    return context


def _no_pass_phrase() -> str:
    """Without it the library would ask whoever sits at the terminal."""
    raise ValueError("the key has a pass phrase; give it without one, readable by this user alone")
