"""A platform on several hosts: which settings each program must be given on every host but the first.

On the first host the start makes missing secrets, and an empty URL means the engine on that host. On another host
(`MARQUEE_ONLY`, `marquee run`, a container) the same defaults would be wrong: a new secret would not match, and the URL would
name an engine that is not there. The error would appear late. Therefore `NEEDED` lists the settings that each program
requires, and `check_needed` refuses the start while one of them is missing.
"""

from collections.abc import Collection, Mapping
from typing import Final

from pydantic import SecretStr

from marquee.code_locations import CODE_LOCATIONS
from marquee.errors import SettingsInvalid
from marquee.platform.state import S3_ACCESS_KEYS, S3_SECRET_KEYS
from marquee.settings import Settings

_EDGE: Final = ("published_url", "edge_secret", "s3_edge_access_key", "s3_edge_secret_key")
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "postgres": ("postgres_password",),
    "seaweedfs": (*S3_ACCESS_KEYS, *S3_SECRET_KEYS),
    "s3-pace": ("objects_url",),
    "s3-proxy": ("s3_pace_url",),
    "api": (
        *("database_url", "event_log_url", "row_cache_url", "coordination_url"),
        *("search_url", "objects_url", "published_url"),
        *("cursor_secret", "edge_secret", "token_private_key"),
    ),
    "transcode": ("database_url", "event_log_url", "objects_url"),
    "search-sync": ("database_url", "event_log_url", "search_url"),
    "change-capture": ("database_url", "event_log_url"),
    "outbox": ("database_url", "event_log_url"),
    "housekeeping": ("database_url", "event_log_url", "objects_url", "published_url"),
    "edge-logs": ("event_log_url",),
    "event-sink": ("database_url", "event_log_url", "lake_url"),
    "edge-1": _EDGE,
    "edge-2": _EDGE,
    **{location.program: (*location.needed_settings, "dagster_database_url") for location in CODE_LOCATIONS},
    "dagster-webserver": ("dagster_database_url", "dagster_code_urls"),
    "dagster-daemon": ("dagster_database_url", "dagster_code_urls", "dagster_url"),
    "gateway": ("api_url", "web_url", "token_public_key"),
    "prepare": ("database_url", "dagster_database_url", "event_log_url", "objects_url", "published_url", "password"),
}
"""Program -> settings that it requires. `prepare` stands for `marquee prepare`.

The keys that write to S3 are not listed: AWS's ordinary credential chain may supply them.
"""

PROGRAM_BEHIND_URL: Final[Mapping[str, str]] = {
    "database_url": "postgres",
    "dagster_database_url": "postgres",
    "event_log_url": "valkey-log",
    "coordination_url": "valkey-log",
    "row_cache_url": "valkey-cache",
    "objects_url": "seaweedfs",
    "published_url": "seaweedfs",
    "s3_pace_url": "s3-pace",
    "api_url": "api",
    "web_url": "web",
    "dagster_url": "dagster-webserver",
}
"""URL setting -> the program that it names. The URL may be empty on a host that runs this program itself."""


def check_needed(settings: Settings, programs: Collection[str]) -> None:
    """Raise `SettingsInvalid` for the first required setting of these programs that is not set."""
    for program in programs:
        for name in NEEDED.get(program, ()):
            if PROGRAM_BEHIND_URL.get(name) not in programs and not _is_given(settings, name, programs):
                variable = f"MARQUEE_{name.upper()}"
                raise SettingsInvalid(
                    f"{variable} is not set, and {program} needs the same value as the platform's other hosts: "
                    "set it in the environment, or in marquee.env in the state folder.",
                    field=variable,
                )


def _is_given(settings: Settings, name: str, programs: Collection[str]) -> bool:
    if name == "dagster_code_urls":  # every code server must have a URL here, or run on this host
        elsewhere = {location.name for location in CODE_LOCATIONS if location.program not in programs}
        return elsewhere <= settings.given_dagster_code.keys()
    if name == "token_public_key" and settings.token_private_key.get_secret_value():
        return True
    if name == "password" and not settings.email:  # without an e-mail address no account is created
        return True
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
