"""Two hosts on one machine: network namespaces joined by one cable, with addresses that lead nowhere else.

`home` has the engines, `away` is a host of workers with a name of its own, on which home's folder cannot be seen. Needs root and
`ip` of iproute2. Both namespaces, and all that still runs in them, are gone at the end.
"""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest

CLONE_NEWNET: Final = 0x40000000
HOME: Final = "198.51.100.1"
AWAY: Final = "198.51.100.2"
"""Of the range that is kept for documentation (RFC 5737): no network has it."""
PREFIX: Final = 30


@dataclass(frozen=True)
class TwoHosts:
    home: str
    away: str
    """Names of the network namespaces."""

    def start_away(
        self, command: list[str], *, environment: Mapping[str, str], hidden: Path, log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a program on the second host; `hidden` is a folder that this host does not have."""
        enter = ["ip", "netns", "exec", self.away, "unshare", "--uts", "--mount", "sh", "-euc"]
        settle = 'hostname away; mount -t tmpfs none "$1"; shift; exec "$@"'
        with log.open("ab") as output:
            return subprocess.Popen(
                [*enter, settle, "sh", str(hidden), *command],
                env=dict(environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def processes_away(self) -> list[psutil.Process]:
        listed = _ip("netns", "pids", self.away).split()
        found = []
        for pid in listed:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(int(pid)))
        return found

    def freeze_away(self) -> None:
        """Nothing on the second host goes on; what it holds, it goes on holding."""
        for process in self.processes_away():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)

    def cut_power_away(self) -> None:
        """Every process of the second host ends at once, none with a last word."""
        while processes := self.processes_away():
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(processes, timeout=5)

    def listeners_away(self) -> list[str]:
        """Addresses on which something there can be reached from outside."""
        return subprocess.run(
            ["ip", "netns", "exec", self.away, "ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        ).stdout.splitlines()


@contextlib.contextmanager
def two_hosts() -> Iterator[TwoHosts]:
    """Skips the test where this machine allows no network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a second host is a network namespace, which needs root and the program ip (Debian: iproute2)")
    unique = secrets.token_hex(3)
    hosts = TwoHosts(f"marquee-home-{unique}", f"marquee-away-{unique}")
    cable = (f"mqh{unique}", f"mqa{unique}")
    try:
        _ip("netns", "add", hosts.home)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine allows no network namespaces: {error.stderr.strip()}")
    try:
        _ip("netns", "add", hosts.away)
        _ip("link", "add", cable[0], "netns", hosts.home, "type", "veth", "peer", "name", cable[1], "netns", hosts.away)
        for namespace, end, address in ((hosts.home, cable[0], HOME), (hosts.away, cable[1], AWAY)):
            _ip("-netns", namespace, "address", "add", f"{address}/{PREFIX}", "dev", end)
            _ip("-netns", namespace, "link", "set", end, "up")
            _ip("-netns", namespace, "link", "set", "lo", "up")
        yield hosts
    finally:
        hosts.cut_power_away() if Path("/run/netns", hosts.away).exists() else None
        for namespace in (hosts.away, hosts.home):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, timeout=20, check=False)


def move_into(namespace: str) -> None:
    """This process, and whatever it starts from now on, is on that host; nothing leads back."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(descriptor)


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True, timeout=20).stdout
