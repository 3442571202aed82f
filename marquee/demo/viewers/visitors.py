"""A viewers' account for people who try the demo, with a profile for each taste, and its searches.

What the first account plays is a preview, because it is an engineer's, and counts nowhere: it never gets a row "Because you
watched". This account has the same password. Its profiles watch in the demo's week beside the invented viewers. Searches are
asked of the API, so they are all of today.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from marquee.client.session import ApiProblem, ApiSession
from marquee.demo.viewers.people import DEVICES
from marquee.settings import Settings

EMAIL: Final = "viewer@marquee.local"
TASTE_OF_PROFILE: Final[Mapping[str, str]] = {"Ada": "family", "Ben": "curious", "Chris": "night"}
"""Name of the profile -> its taste in `people`."""
SEARCHES: Final[Mapping[str, int]] = {
    "bunny": 6,
    "big buck": 4,
    "bicycles": 5,
    "bycicles": 3,
    "earth": 5,
    "orbit": 3,
    "deer": 3,
    "star wars": 5,
    "the godfather": 4,
    "cooking show": 3,
}
"""Query -> how often it is asked. The last three find nothing. Seldom asked queries are in no report, so each is asked thrice."""


@dataclass(frozen=True)
class Visitors:
    """`profiles`: profile_id -> name in TASTES."""

    email: str
    profiles: Mapping[str, str]


async def visitors(settings: Settings, *, verify: ssl.SSLContext | bool = True) -> Visitors:
    """The account of the visitors; registered if there is none."""
    password = settings.password.get_secret_value()
    async with ApiSession(settings.public, verify=verify) as api:
        try:
            body = {"email": EMAIL, "password": password, "profiles": list(TASTE_OF_PROFILE)}
            account = await api.post("/accounts", body)
        except ApiProblem as problem:
            if problem.status != 409:
                raise
            await api.log_in(EMAIL, password)
            account = await api.get("/accounts/me")
    names = {each["profile_id"]: each["name"] for each in account["profiles"]}
    return Visitors(EMAIL, {each: TASTE_OF_PROFILE[name] for each, name in names.items() if name in TASTE_OF_PROFILE})


async def search(settings: Settings, found: Visitors, *, verify: ssl.SSLContext | bool = True) -> int:
    """Ask SEARCHES, each profile in its turn. Returns how many were asked."""
    asked = 0
    profiles = list(found.profiles)
    for place, profile_id in enumerate(profiles):
        # By its own name this client would be a robot, whose searches count nowhere.
        async with ApiSession(settings.public, verify=verify, user_agent=DEVICES[0].user_agent) as api:
            await api.log_in(found.email, settings.password.get_secret_value(), profile_id=profile_id)
            for query, times in SEARCHES.items():
                for number in range(times):
                    if number % len(profiles) == place:
                        await api.get("/search", q=query)
                        asked += 1
    return asked
