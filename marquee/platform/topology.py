"""Which programs this machine runs, and which ports they need.

A program is left out if a URL in the settings replaces it, if `without` names it, or if `only` is set and does not name it. A
program starts as soon as the programs in its `after` are ready. The stage orders the stop: first 30 (gateway, Dagster), then
20 (the platform's own processes and the edges), then 10 (the engines), because the processes write to the engines until
they end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from marquee.analytics_extra import how_to_get_analytics
from marquee.code_locations import CODE_LOCATIONS
from marquee.errors import InputInvalid, PlatformUnavailable
from marquee.logs import get_logger
from marquee.platform import local_engines
from marquee.platform.programs import applications, dagster, edges, gateway, s3_proxy
from marquee.platform.state import port_is_free
from marquee.platform.supervisor.program import Program
from marquee.ports import MAX_API_PROCESSES, api_port_name
from marquee.settings import Settings
from marquee.stores.lake.arrow import arrow_is_installed

log = get_logger()

PUBLIC_PORTS = frozenset({"gateway", "edge_1", "edge_2", "s3"})
API_PORTS: Final = tuple(api_port_name(number) for number in range(1, MAX_API_PROCESSES + 1))
INNER_PORTS = frozenset(
    {
        *API_PORTS,
        "web",
        "housekeeping",
        "event_sink",
        "dagster",
        "s3_inner",
        "s3_pace",
        *(location.port_name for location in CODE_LOCATIONS),
    }
)
FAMILIES: Final[Mapping[str, int]] = {"api": MAX_API_PROCESSES, "transcode": 256}
"""Parts of several equal programs, `NAME-1`, `NAME-2` and so on -> how many a host may have."""
RENAMED_PROGRAMS: Final[Mapping[str, str]] = {"dagster-code": "dagster-code-ingest"}
"""Old name -> new name. Version 0.2 removes the old names."""


@dataclass(frozen=True)
class Part:
    """One program, or a family of equal ones `NAME-1`, `NAME-2`, ... (the API's processes, transcode workers).

    `ports`: names in `marquee.ports` that it listens on; of the API, those of every process that there can be. `replaced`:
    whether the settings have a URL instead of it, or the packages that it needs are not installed (`marquee doctor` says so).
    `make`: builds its `Program`s.
    """

    name: str
    ports: tuple[str, ...]
    replaced: Callable[[Settings], bool]
    make: Callable[[Settings], Program | Sequence[Program]]

    def listeners(self, settings: Settings) -> tuple[str, ...]:
        """The names of the ports that this machine's programs of this part listen on."""
        return self.ports[: settings.api_workers] if self.name == "api" else self.ports

    def programs(self, settings: Settings) -> list[Program]:
        """Build the programs; write their folders and configuration files.

        Raises `PlatformUnavailable` if a wheel does not exist for this machine; the error names the setting to use instead.
        """
        made = self.make(settings)
        return [made] if isinstance(made, Program) else list(made)


def _never(_: Settings) -> bool:
    return False


PARTS: tuple[Part, ...] = (
    Part(
        "postgres",
        ("postgres",),
        lambda s: bool(s.database_url and s.dagster_database_url),
        local_engines.postgres,
    ),
    Part("valkey-cache", ("cache",), lambda s: bool(s.row_cache_url), local_engines.valkey_cache),
    Part("valkey-log", ("log",), lambda s: bool(s.event_log_url and s.coordination_url), local_engines.valkey_log),
    Part(
        "seaweedfs",
        (
            *("s3_inner", "s3_master", "s3_volume", "s3_filer"),
            *("s3_master_grpc", "s3_volume_grpc", "s3_filer_grpc", "s3_grpc"),
        ),
        lambda s: bool(s.objects_url and s.published_url),
        local_engines.seaweedfs,
    ),
    Part("s3-pace", ("s3_pace",), lambda s: bool(s.objects_url and s.published_url), s3_proxy.s3_pace),
    Part("s3-proxy", ("s3", "s3_requests"), lambda s: bool(s.objects_url and s.published_url), s3_proxy.s3_proxy),
    Part("api", API_PORTS, _never, applications.api_processes),
    Part("transcode", (), _never, applications.transcode_workers),
    Part("search-sync", (), _never, applications.search_sync),
    Part("change-capture", (), _never, applications.change_capture),
    Part("outbox", (), _never, applications.outbox),
    Part("housekeeping", ("housekeeping",), _never, applications.housekeeping),
    Part("event-sink", ("event_sink",), lambda _: not arrow_is_installed(), applications.event_sink),
    Part("edge-1", ("edge_1", "edge_1_status"), _never, lambda s: edges.edge(s, 1)),
    Part("edge-2", ("edge_2", "edge_2_status"), _never, lambda s: edges.edge(s, 2)),
    Part("edge-logs", (), lambda s: not s.edge_log_share, applications.edge_logs),
    Part("web", ("web",), _never, edges.web),
    *(
        Part(location.program, (location.port_name,), _never, partial(dagster.code_server, location=location))
        for location in CODE_LOCATIONS
    ),
    Part("dagster-webserver", ("dagster",), _never, dagster.webserver),
    Part("dagster-daemon", (), _never, dagster.daemon),
    Part("gateway", ("gateway", "gateway_admin"), _never, gateway.gateway),
)


def parts(settings: Settings) -> list[Part]:
    """What this machine runs. Raises `PlatformUnavailable` for an unknown name in `without` or `only`."""
    left_out = _names(settings.without, "MARQUEE_WITHOUT")
    only = _names(settings.only, "MARQUEE_ONLY")
    if "outbox" in only and "housekeeping" not in only:  # version 0.2 removes this warning
        log.warning(
            "MARQUEE_ONLY names outbox without housekeeping. The outbox's other loops are now the program housekeeping: "
            "add it here, unless another host runs it."
        )
    if only & {"edge-1", "edge-2"} and "edge-logs" not in only and settings.edge_log_share:
        log.warning(
            "MARQUEE_ONLY names an edge without edge-logs: nobody reads the edge's log, which is dropped past "
            "MARQUEE_EDGE_LOG_BYTES. Add edge-logs here, or set MARQUEE_EDGE_LOG_SHARE to 0."
        )
    if "event-sink" in only and not arrow_is_installed():
        raise PlatformUnavailable(f"MARQUEE_ONLY names event-sink, which needs pyarrow: {how_to_get_analytics()}.")
    wanted = only or {part.name for part in PARTS}
    return [part for part in PARTS if part.name in wanted - left_out and not part.replaced(settings)]


def _names(listed: str, setting: str) -> set[str]:
    names = {present_name(name.strip()) for name in listed.split(",") if name.strip()}
    if unknown := names - {part.name for part in PARTS}:
        raise PlatformUnavailable(
            f"{setting} names {', '.join(sorted(unknown))}, which is no program: "
            f"choose from {', '.join(part.name for part in PARTS)}."
        )
    return names


def part_of(name: str) -> tuple[Part, int]:
    """The part that a program belongs to, and the program's number in it: `api-2` is (api, 2), a bare name is number 1.

    Raises `InputInvalid` for an unknown name.
    """
    name = present_name(name)
    family, _, number = name.rpartition("-")
    found = {part.name: part for part in PARTS}
    if name in found:
        return found[name], 1
    if family in FAMILIES and number.isdecimal() and 1 <= int(number) <= FAMILIES[family]:
        return found[family], int(number)
    raise InputInvalid(f"There is no program {name}: choose from {', '.join(found)}.", field="name")


def present_name(name: str) -> str:
    """The current name of a program. An old name is translated and logged as a warning; any other name is returned unchanged."""
    if name not in RENAMED_PROGRAMS:
        return name
    log.warning(
        f"The program {name} is now called {RENAMED_PROGRAMS[name]}: use the new name; the next release removes the old one."
    )
    return RENAMED_PROGRAMS[name]


def platform_programs(settings: Settings) -> list[Program]:
    """Every program of this machine in stage order, with folders and configuration files written.

    Raises `PlatformUnavailable` if a wheel does not exist for this machine; the error names the setting to use instead.
    """
    found = [program for part in parts(settings) for program in part.programs(settings)]
    return sorted(found, key=lambda program: program.stage)


def check_ports(settings: Settings) -> None:
    """Raise `PlatformUnavailable` if another process listens on one of the ports; the error names every such port."""
    if taken := taken_ports(settings):
        listed = ", ".join(f"{port} ({name})" for name, port in taken)
        plural = "s" if len(taken) > 1 else ""
        raise PlatformUnavailable(
            f"Port{plural} {listed} of this machine {'are' if plural else 'is'} used by another process: stop it, "
            f"or set MARQUEE_PORT_BASE to the first of 30 free ports (it is {settings.port_base} now)."
        )


def taken_ports(settings: Settings) -> list[tuple[str, int]]:
    """(program, port) of every port of this machine's programs that is not free."""
    listeners = [(part.name, name) for part in parts(settings) for name in part.listeners(settings)]
    return [
        (program, settings.port(name))
        for program, name in listeners
        if not port_is_free(_listener(settings, name), settings.port(name))
    ]


def _listener(settings: Settings, port: str) -> str:
    if port in PUBLIC_PORTS:
        return settings.bind_host
    return settings.inner_host if port in INNER_PORTS else "127.0.0.1"
