"""`python -m tests.upgrade.make_state OUT.tar.xz`: the state folder of a small platform of this version, packed.

Starts a platform in a folder of its own, uploads two films, creates an account with a profile, writes positions, stops the
platform and packs its state with `expected.json`, which says what a later version must find. It is run once a release, with the
release's own wheel (`--marquee`), installed where no person's name is in the path: Dagster's runs keep the path of their program.
`test_upgrade.py` starts today's code on what it made. Command line and public API are all it uses, so it works on older releases.
"""

import argparse
import json
import lzma
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from tests.harness.servers import free_port_base

PROJECT: Final = Path(__file__).parents[2]
FILMS: Final = {"test_sar.mp4": "Wide Pixels", "test_vp6.flv": "Flash"}
POSITIONS: Final = {"test_sar.mp4": 0.25, "test_vp6.flv": 0.5}
"""Seconds; both before 95 % of the film, so that a viewer goes on from there."""
LEFT_OUT: Final = ("logs", "run", "cache", "work", "config", "web", "dagster", "edge-1", "edge-2", "edge-logs")
"""What every start makes anew."""
CALL_SECONDS: Final = 300


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--marquee", type=Path, default=Path(sys.executable).with_name("marquee"))
    arguments.add_argument("--films", type=Path, default=PROJECT / "fixtures")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-state-") as folder:
        state = Path(folder) / "state"
        expected = fill(given.marquee, given.films, state)
        (state / "expected.json").write_text(json.dumps(expected, indent=1))
        pack(state, given.out)
    print(f"{given.out}: {given.out.stat().st_size} bytes")  # noqa: T201


def fill(marquee: Path, films: Path, state: Path) -> dict[str, Any]:
    """Make the platform's state; returns what must be found in it."""
    environment = {
        **os.environ,
        "MARQUEE_STATE": str(state),
        "MARQUEE_PORT_BASE": str(free_port_base()),
        "MARQUEE_API_WORKERS": "1",
        "MARQUEE_TRANSCODE_WORKERS": "1",
    }

    def call(*words: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(marquee), *words], env=environment, capture_output=True, text=True, timeout=CALL_SECONDS, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    try:
        public = call("up", "--json")[-1]["web_client"]
        titles = {}
        for name, title in FILMS.items():
            ended = call("upload", "--wait", "--json", "--title", title, "--genre", "Mystery", str(films / name))[-1]
            titles[title] = {"movie_id": ended["movie_id"], "position_seconds": POSITIONS[name]}
        account = {"email": "viewer@upgrade.example", "password": secrets.token_urlsafe(12)}
        with httpx.Client(base_url=f"{public}/api/v1", timeout=30) as api:
            api.post("/accounts", json={**account, "profiles": ["Ada"]}).raise_for_status()
            token = api.post("/sessions", json=account).raise_for_status().json()["access_token"]
            for title in titles.values():
                api.post(
                    "/stream/progress",
                    json={"movie_id": title["movie_id"], "position_seconds": title["position_seconds"]},
                    headers={"Authorization": f"Bearer {token}"},
                ).raise_for_status()
    finally:
        call("down")
    return {"titles": titles, "account": account}


def pack(state: Path, out: Path) -> None:
    """One .tar.xz of the state, without what every start makes anew and without a name of this machine."""

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(member.name).parts
        if len(parts) > 1 and parts[1] in LEFT_OUT:
            return None
        if not (member.isfile() or member.isdir()) or member.name.endswith("postmaster.opts"):
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    # A dictionary larger than PostgreSQL's template databases: they are the same pages several times.
    filters: list[Mapping[str, int]] = [
        {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 128 * 1024**2}
    ]
    with lzma.open(out, "wb", filters=filters) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(state, arcname="state", filter=kept)


if __name__ == "__main__":
    main()
