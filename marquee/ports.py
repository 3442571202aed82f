"""The ports of one machine's listeners, and the addresses by which the machine reaches its own listeners.

Every port is a fixed offset from `Settings.port_base`. So one setting moves a whole platform to other ports, and two
platforms can run side by side. A new listener gets a free offset here; a code server of Dagster gets one in
`marquee.code_locations`.
"""

from collections.abc import Mapping
from typing import Final

from marquee.code_locations import CODE_LOCATIONS

MAX_API_PROCESSES: Final = 16
"""Of one host."""


def api_port_name(number: int) -> str:
    """The listener of the API's process `api-NUMBER`; numbers begin at 1."""
    return "api" if number == 1 else f"api_{number}"


PORT_OFFSETS: Final[Mapping[str, int]] = {
    "gateway": 0,
    "edge_1": 1,
    "edge_2": 2,
    "s3": 3,
    "dagster": 4,
    "api": 10,
    "api_2": 5,
    "api_3": 6,
    "api_4": 7,
    # Beyond the 30 ports that every platform takes: only a host that runs so many processes of the API needs them.
    **{api_port_name(number): 25 + number for number in range(5, MAX_API_PROCESSES + 1)},
    "housekeeping": 8,
    "event_sink": 9,
    "web": 11,
    "postgres": 12,
    "cache": 13,
    "log": 14,
    "gateway_admin": 16,
    "edge_1_status": 17,
    "edge_2_status": 18,
    "s3_master": 20,
    "s3_volume": 21,
    "s3_filer": 22,
    "s3_master_grpc": 23,
    "s3_volume_grpc": 24,
    "s3_filer_grpc": 25,
    "s3_grpc": 26,
    "s3_inner": 27,
    "s3_pace": 28,
    "s3_requests": 29,
    **{location.port_name: location.port_offset for location in CODE_LOCATIONS},
}
"""Listener -> its port minus `port_base`."""


def local_address(host: str) -> str:
    """The host for a URL by which this machine reaches its own listener on `host`."""
    # A listener on all addresses also answers on loopback.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return bracketed(host)


def bracketed(host: str) -> str:
    """A host in the form that URLs need: an IPv6 address stands in brackets."""
    return f"[{host}]" if ":" in host else host
