"""Settings that have been renamed since the last release. The old name works for one more release and logs a warning.

RENAMED and RESHAPED list all of them; REMOVED has settings without a successor. After the release, empty all three: then
an old name is as unknown as any other.
"""

from collections.abc import Callable, Mapping
from typing import Final

from marquee.logs import get_logger

RENAMED: Final[Mapping[str, str]] = {
    "cache_bytes": "source_cache_bytes",
    "presigned_seconds": "part_url_seconds",
    "refresh_seconds": "refresh_token_seconds",
    "token_seconds": "access_token_seconds",
}
"""Old name -> new name, as in `Settings`. Version 0.2 removes the old names."""
RESHAPED: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "dagster_code_url": ("dagster_code_urls", lambda url: f"ingest={url.strip().rstrip('/')}"),
}
"""Old name -> (new name, function from the old value to the new one). Version 0.2 removes these old names too."""
NEW_NAMES: Final[Mapping[str, str]] = {**RENAMED, **{old: new for old, (new, _) in RESHAPED.items()}}
"""Every old name -> its new name."""
REMOVED: Final[Mapping[str, str]] = {
    "encoding_preset": "Name an encoding profile by MARQUEE_PROFILE (`fast` is x264's veryfast), and remove it",
}
"""Settings that no longer exist -> what to do. Whoever still sets one is told at every start."""
OLD_NAMES: Final[Mapping[str, str]] = {new: old for old, new in NEW_NAMES.items()}
"""Every new name -> its old name."""

log = get_logger()


def values_of_old_names(*sources: Mapping[str, str | None]) -> dict[str, str]:
    """The settings that are given by an old name alone, by their new names; logs a warning for each old name.

    Each source holds MARQUEE_... variables in upper or lower case; a later source overrides an earlier one. Where both names
    are given, the new one counts. Two equal values are no reason to warn: the supervisor hands the new name to its programs
    beside the old one of its own environment.
    """
    given = {name.upper(): value for source in sources for name, value in source.items()}
    found: dict[str, str] = {}
    for removed, remedy in REMOVED.items():
        if f"MARQUEE_{removed.upper()}" in given:
            log.warning(f"MARQUEE_{removed.upper()} has no effect any more. {remedy}.")
    for old, new in NEW_NAMES.items():
        old_variable, new_variable = f"MARQUEE_{old.upper()}", f"MARQUEE_{new.upper()}"
        value = given.get(old_variable)
        if value and old in RESHAPED:
            value = RESHAPED[old][1](value)
        if value is None or value == given.get(new_variable):
            continue
        if given.get(new_variable) is None:
            found[new] = value
            log.warning(
                f"{old_variable} is now called {new_variable}: rename it, the next release does not know the old name."
            )
        else:
            log.warning(f"{old_variable} is ignored: its new name {new_variable} is given as well. Remove the old one.")
    return found
