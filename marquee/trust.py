"""Which certificates the platform's own clients accept: the machine's authorities, and those of `MARQUEE_TLS_AUTHORITIES`.

Used by the commands, which call the gateway and S3, and by Dagster, which fills the edges.
"""

import ssl

from marquee.errors import SettingsInvalid


def trusted(authorities: str) -> ssl.SSLContext | bool:
    """Value of httpx's `verify`. `authorities`: a PEM file; empty: httpx's own choice (SSL_CERT_FILE, else certifi's).

    Raises `SettingsInvalid` for a file that cannot be used.
    """
    if not authorities:
        return True
    # Imported here: httpx is slow to import, and processes without a client do not need it.
    import httpx

    context = httpx.create_ssl_context()
    try:
        context.load_verify_locations(cafile=authorities)
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"MARQUEE_TLS_AUTHORITIES cannot be used: {authorities} is no PEM file of authorities ({error}).",
            field="MARQUEE_TLS_AUTHORITIES",
        ) from error
    return context
