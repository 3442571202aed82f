"""What a session's device is called in the list of sessions: the client's own name for it, else what its User-Agent says.

Only the account's owner reads it, to tell two sessions apart. So a few families of browsers and systems are enough, and the
text proves nothing: a client may say anything. It is bounded and has no control characters.
"""

import re
import unicodedata
from typing import Final

MAX_DEVICE_CHARACTERS: Final = 60
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Word of a User-Agent -> browser. The first that is found counts: most browsers also name those that they descend from."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Tizen", "a Samsung TV"),
    ("Web0S", "an LG TV"),
    ("Linux", "Linux"),
)
_PRODUCT: Final = re.compile(r"[A-Za-z0-9._-]+")


def device_of(user_agent: str | None, device_name: str | None) -> str | None:
    """`device_name` if it has a visible character, else the browser and its system, else the program's name, else None."""
    named = _cleaned(device_name or "")
    if named:
        return named
    agent = _cleaned(user_agent or "", most=400)
    browser = next((name for word, name in _BROWSERS if word in agent), None)
    system = next((name for word, name in _SYSTEMS if word in agent), None)
    if browser is not None:
        return f"{browser} on {system}" if system else browser
    product = _PRODUCT.match(agent)
    return product.group()[:MAX_DEVICE_CHARACTERS] if product else None


def _cleaned(text: str, *, most: int = MAX_DEVICE_CHARACTERS) -> str:
    """Spaces for control characters and marks of direction, single spaces, at most `most` characters."""
    # Category C has control and format characters. Among these are the marks that turn the direction of a text.
    visible = "".join(
        " " if unicodedata.category(character).startswith("C") else character for character in text[:1000]
    )
    return " ".join(visible.split())[:most].strip()
