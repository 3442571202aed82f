"""Lighthouse's scores of the web client's pages, in the forms of a phone and of a desktop.

`make bench-web`, or `python -m bench.web [--runs 3]`, against the platform that the settings name, which must be running and have
films in it (`make demo`). Each page is loaded with an empty cache; the figures are those of the run with the median performance.
Performance depends on the machine: measure on one that does nothing else. The last line is one JSON object, by page and form.
"""

import argparse
import json
import subprocess
import sys
from typing import Any, Final

import httpx

from marquee.demo.browser import find_browser
from marquee.platform.project import PROJECT
from marquee.settings import Settings, load_settings

LIGHTHOUSE: Final = PROJECT / "bench" / "lighthouse" / "measure.mjs"
NODE: Final = PROJECT / ".venv" / "bin" / "node"
OUTSIDE: Final = ("login",)
"""Pages of somebody who is not logged in."""
PAGE_SECONDS: Final = 120


def _title(settings: Settings) -> str:
    """The movie_id of a title on the home page. Exits with a sentence where there is none."""
    with httpx.Client(base_url=f"{settings.public}/api/v1", timeout=30) as client:
        login = {"email": settings.email, "password": settings.password.get_secret_value()}
        session = client.post("/sessions", json=login).raise_for_status().json()
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        rows = client.get("/home", headers=headers).raise_for_status().json()["rows"]
    if not rows:
        sys.exit("The platform has no film: run `make demo` in another terminal, or upload one.")
    return str(rows[0]["items"][0]["movie_id"])


def measure(settings: Settings, runs: int) -> dict[str, Any]:
    """Scores and figures by page and form."""
    pages = {"home": "/", "title": f"/title/{_title(settings)}", "search": "/search?q=the", "login": "/login"}
    asked = {
        "url": settings.public,
        "email": settings.email,
        "password": settings.password.get_secret_value(),
        "pages": pages,
        "outside": OUTSIDE,
        "browser": find_browser(),
        "runs": runs,
    }
    finished = subprocess.run(
        [str(NODE), str(LIGHTHOUSE)],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PAGE_SECONDS * runs * len(pages) * 2,
    )
    return dict(json.loads(finished.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(measure(load_settings(), arguments.runs)) + "\n")


if __name__ == "__main__":
    main()
