"""`marquee doctor`: checks what this machine must have before a platform can start on it.

Each check returns a `Finding`: what was found, or what is missing and how to get it. Checked are the Linux kernel, disk
space, ports, TLS, the open files limit, user namespaces, and every program from a wheel, which is run once. A `missing`
finding stops a start. With an `optional` one (a browser, the packages of analytics) the platform starts, and lacks something.
"""

import asyncio
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from marquee.analytics_extra import how_to_get_analytics, missing_packages
from marquee.cdn.edge_log.files import edge_log_folders, load_dropped, load_so_far, waiting_bytes
from marquee.domain.lateness import Watched
from marquee.errors import MarqueeError
from marquee.platform.analytics_state import AnalyticsState, analytics_state
from marquee.platform.analytics_watch import look
from marquee.platform.certificates import pem_files, read_pair, tls_warnings
from marquee.platform.programs import binaries
from marquee.platform.project import PROJECT, WEB_CLIENT, how_to_get_web_client, how_to_reinstall
from marquee.platform.state import check_disk
from marquee.platform.supervisor.program import launcher
from marquee.platform.supervisor.supervisord import Supervisor
from marquee.platform.topology import check_ports, parts
from marquee.settings import Settings

RUN_SECONDS = 60
OPEN_FILES_NEEDED = 1024
ASK_SECONDS = 2.0
STATE_SECONDS = 20.0
MAX_LAG_FLUSHES = 3
"""An event is in the lake one flush after it came, two while the sink is busy."""
UNANNOUNCED_PROXY = "marquee_api_unannounced_proxy_requests_total"
"""`api/unannounced_proxy.py`."""


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    `state`: "ok", "missing" (the platform does not start) or "optional" (a part of it is left out). `detail` says what was
    found, or what is wrong and what to do.
    """

    name: str
    state: Literal["ok", "missing", "optional"]
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Run every check. Each program from a wheel is started once, because a wheel may be installed and still not run here."""
    running = {part.name for part in parts(settings)}
    findings = [
        Finding("Python", "ok", sys.version.split()[0]),
        _linux(),
        _disk(settings),
        _ports(settings),
        _open_files(),
        _tls(settings),
        _proxies(settings),
        *[_edge_logs(settings)] * bool(running & {"edge-1", "edge-2"}),
    ]
    programs: tuple[tuple[str, bool, Callable[[], Path], str], ...] = (
        ("PostgreSQL", "postgres" in running, lambda: binaries.postgres("postgres"), "--version"),
        ("Valkey", bool(running & {"valkey-cache", "valkey-log"}), binaries.valkey_server, "--version"),
        ("SeaweedFS", "seaweedfs" in running, binaries.seaweedfs, "version"),
        ("nginx", bool(running & {"edge-1", "edge-2", "web"}), binaries.nginx, "-v"),
        ("Envoy", "gateway" in running, binaries.envoy, "--version"),
        ("Java 17", "change-capture" in running, binaries.java, "-version"),
        ("Node", True, lambda: binaries.environment_program("node"), "--version"),
    )
    findings += [_program(name, find, option) for name, wanted, find, option in programs if wanted]
    findings += [_unprivileged()] * (os.geteuid() == 0 and "postgres" in running)
    return [
        *findings,
        _web_client(),
        _browser(),
        _analytics(),
        *[_viewing_events(settings)] * ("event-sink" in running),
    ]


def _linux() -> Finding:
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        return Finding("Linux", "missing", f"{sys.platform}: the supervised processes need Linux 5.4 or newer.")
    return Finding("Linux", "ok", os.uname().release)


def _disk(settings: Settings) -> Finding:
    folder = next(each for each in (settings.state, *settings.state.parents) if each.exists())
    try:
        check_disk(settings.model_copy(update={"state": folder}))
    except MarqueeError as error:
        return Finding("disk", "missing", error.detail)
    return Finding("disk", "ok", f"{shutil.disk_usage(folder).free / 1024**3:.0f} GiB free for {settings.state}")


def _ports(settings: Settings) -> Finding:
    if asyncio.run(Supervisor(settings).pid()) is not None:
        return Finding("ports", "ok", f"from {settings.port_base}; the platform is running on them")
    try:
        check_ports(settings)
    except MarqueeError as error:
        return Finding("ports", "missing", error.detail)
    return Finding("ports", "ok", f"from {settings.port_base}, all free")


def _tls(settings: Settings) -> Finding:
    try:
        warnings = tls_warnings(settings)
        files = pem_files(settings)
        pair = read_pair(files) if files else None
    except MarqueeError as error:
        return Finding("TLS", "missing", error.detail)
    if warnings:
        return Finding("TLS", "optional", warnings[0])
    if pair is None:
        return Finding("TLS", "ok", f"off: the public endpoints are {settings.public} and on {settings.bind_host}")
    return Finding("TLS", "ok", f"for {', '.join(pair.names)}, until {pair.expires_at:%Y-%m-%d}")


def _proxies(settings: Settings) -> Finding:
    """Whether a process of the API has seen requests of a proxy that MARQUEE_TRUSTED_HOPS does not count."""
    name, seen = "proxies in front", False
    for url in settings.apis:
        try:
            metrics = httpx.get(f"{url}/metrics", timeout=ASK_SECONDS, trust_env=False).text
        except httpx.HTTPError:
            return Finding(name, "ok", f"MARQUEE_TRUSTED_HOPS={settings.trusted_hops}; the API does not run")
        seen |= any(float(value) > 0 for value in re.findall(rf"^{UNANNOUNCED_PROXY} (\S+)", metrics, re.MULTILINE))
    if seen:
        return Finding(
            name,
            "optional",
            "a proxy stands in front of the gateway, and all its clients share one limit: "
            "set MARQUEE_TRUSTED_HOPS to the number of such proxies, and restart the gateway.",
        )
    return Finding(name, "ok", f"MARQUEE_TRUSTED_HOPS={settings.trusted_hops}, and no other proxy was seen")


def _edge_logs(settings: Settings) -> Finding:
    """What the edges of this host have logged and nobody has published."""
    name, folders = "edges' logs", edge_log_folders(settings)
    waiting = sum(waiting_bytes(folder, load_so_far(folder)) for folder in folders)
    dropped = sum(load_dropped(folder).bytes for folder in folders)
    detail = f"{waiting / 1024**2:.1f} MiB wait to be published"
    if dropped:
        return Finding(
            name,
            "optional",
            f"{detail}, and {dropped / 1024**2:.1f} MiB were dropped unread: see whether `edge-logs` runs and the event log "
            "answers, or raise MARQUEE_EDGE_LOG_BYTES.",
        )
    return Finding(name, "ok", detail)


def _open_files() -> Finding:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES_NEEDED:
        return Finding("open files", "missing", f"the limit is {hard}: raise it to {OPEN_FILES_NEEDED} (ulimit -Hn).")
    return Finding("open files", "ok", "no limit" if hard == resource.RLIM_INFINITY else f"up to {hard}")


def _program(name: str, find: Callable[[], Path], option: str) -> Finding:
    try:
        path = find()
    except MarqueeError as error:
        return Finding(name, "missing", error.detail)
    try:
        done = subprocess.run([str(path), option], capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, "missing", f"{path} does not run here ({error}): {how_to_reinstall()}.")
    output_lines = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode != 0:
        last = output_lines[-1] if output_lines else f"exit code {done.returncode}"
        return Finding(name, "missing", f"{path} does not run here ({last}): {how_to_reinstall()}.")
    return Finding(name, "ok", next((line for line in output_lines if line), str(path)))


def _unprivileged() -> Finding:
    """Check that user namespaces work. PostgreSQL refuses to run as root, so `supervisor.launch` starts it in one."""
    command = [*launcher(), "--unprivileged", "--", "id", "-u"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    if done.returncode != 0:
        return Finding(
            "user namespaces",
            "missing",
            "this kernel or container forbids them, and PostgreSQL refuses to run as root: start as an ordinary user, "
            "or set MARQUEE_DATABASE_URL and MARQUEE_DAGSTER_DATABASE_URL to a server.",
        )
    return Finding("user namespaces", "ok", "PostgreSQL will run as an ordinary user in one")


def _web_client() -> Finding:
    if not (WEB_CLIENT / "index.html").is_file():
        return Finding(
            "web client", "optional", f"missing in {WEB_CLIENT.relative_to(PROJECT)}: {how_to_get_web_client()}."
        )
    return Finding("web client", "ok", "built")


def _browser() -> Finding:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        return Finding("Chromium", "optional", "missing, so no browser plays a film: on Debian, apt install chromium.")
    return Finding("Chromium", "ok", found)


def _analytics() -> Finding:
    name = "packages of analytics"
    if missing := missing_packages():
        return Finding(
            name,
            "optional",
            f"{', '.join(missing)} missing, so there are no trending rows, suggestions and reports: {how_to_get_analytics()}.",
        )
    return Finding(name, "ok", "Spark, dbt and Great Expectations are installed")


def _viewing_events(settings: Settings) -> Finding:
    """Whether viewing events reach the lake, and what was found in them reaches the viewers."""
    name = "viewing events"
    if asyncio.run(Supervisor(settings).pid()) is None:
        return Finding(name, "ok", "the platform does not run")
    try:
        state, watched = asyncio.run(asyncio.wait_for(_state(settings), STATE_SECONDS))
    except (MarqueeError, TimeoutError) as error:
        return Finding(name, "optional", f"the state of analytics is not known: {error or 'no answer in time'}")
    return judge_analytics(state, MAX_LAG_FLUSHES * settings.sink_flush_seconds, watched)


async def _state(settings: Settings) -> tuple[AnalyticsState, list[Watched]]:
    state = await analytics_state(settings)
    return state, await look(settings, state)


def judge_analytics(state: AnalyticsState, max_lag_seconds: float, watched: Sequence[Watched] = ()) -> Finding:
    """The finding about events that are late or lost, and about batches that are refused or late."""
    faults = [one.sentence.rstrip(".") for one in watched if one.is_late and one.name != "event-sink"]
    if state.sink.lag_seconds > max_lag_seconds:
        faults.append(
            f"the oldest event that is not in the lake is {state.sink.lag_seconds:.0f} s old: see the log of event-sink"
        )
    if state.lost:
        faults.append(
            f"{state.lost:,} events were dropped unwritten: see whether event-sink runs, or raise "
            "MARQUEE_VIEWING_EVENTS_KEEP_RECORDS and MARQUEE_VIEWING_EVENTS_KEEP_SECONDS"
        )
    if state.late_erasures:
        faults.append(
            f"{state.late_erasures} erasures of profiles are not done, see marquee analytics erasures: event-sink and "
            "housekeeping have to run, and the log of event-sink names damaged files that were not searched"
        )
    faults += [f"the batch {one.name} was refused: {one.reason}" for one in state.batches if one.state == "refused"]
    if faults:
        return Finding("viewing events", "optional", f"{'; '.join(faults)}.")
    return Finding("viewing events", "ok", f"in the lake after {state.sink.lag_seconds:.0f} s, and no batch is refused")
