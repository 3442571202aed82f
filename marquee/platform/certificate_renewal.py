"""`python -m marquee.platform.certificate_renewal CERTIFICATE KEY FOLDER [--reload] -- PROGRAM ARGUMENTS...`: a program with TLS.

This process becomes the program. Before that it starts a child that watches the operator's files and ends with the program.
The child checks a changed pair and makes it the program's current one (`certificates.publish`). Envoy watches the folder itself;
nginx gets SIGHUP (`--reload`): its old workers finish their connections with the earlier pair. A pair that cannot be used is
logged once, and the earlier one stays. The child logs once a day when the expiry is near.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from marquee.errors import SettingsInvalid
from marquee.logs import configure_logging, get_logger
from marquee.platform.certificates import Pair, PemFiles, publish, read_pair
from marquee.platform.supervisor.launch import die_with_parent, split

CHECK_SECONDS: Final = 2.0
WARN_SECONDS: Final = 24 * 3600.0

log = get_logger()

Seen = tuple[tuple[int, int, int], ...]


class Renewal:
    """Looks at the files and publishes a changed pair."""

    def __init__(self, files: PemFiles, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._tried: Seen = ()
        self._last = self._seen()
        self._warned_at = float("-inf")

    def look(self) -> bool:
        """Look once. True if a new pair is the current one now.

        Files that changed since the last look may still be being written: they are tried at the next one.
        """
        seen = self._seen()
        settled, self._last = seen == self._last, seen
        if not settled or seen == self._tried:
            return False
        self._tried = seen
        try:
            pair = read_pair(self._files)
            renewed = publish(self._folder, pair)
        except (SettingsInvalid, OSError) as error:
            log.error("the renewed certificate is not used, the earlier one stays", reason=str(error))
            return False
        if renewed:
            log.info("certificate renewed", expires_at=pair.expires_at.isoformat())
        self._warn(pair)
        return renewed

    def warn_daily(self) -> None:
        """Have the next look check the expiry again, once a day."""
        if time.monotonic() - self._warned_at > WARN_SECONDS:
            self._tried = ()

    def _warn(self, pair: Pair) -> None:
        self._warned_at = time.monotonic()
        if pair.warning:
            log.warning(pair.warning, days_left=pair.days_left)

    def _seen(self) -> Seen:
        found = []
        for path in (self._files.certificate, self._files.key):
            try:
                about = path.stat()  # through symbolic links: Kubernetes replaces a link
                found.append((about.st_ino, about.st_mtime_ns, about.st_size))
            except OSError:
                found.append((0, 0, 0))
        return tuple(found)


def watch(renewal: Renewal, program: int, *, reload: bool) -> None:
    """Look every CHECK_SECONDS until the program, this process's parent, has ended."""
    while os.getppid() == program:
        try:
            renewal.warn_daily()
            if renewal.look() and reload:
                os.kill(program, signal.SIGHUP)
        except Exception as error:
            # The child must not end: the certificate would expire without a word.
            log.error("the certificate's files could not be looked at", exc_info=error)
        time.sleep(CHECK_SECONDS)


def main(arguments: Sequence[str]) -> None:
    """Start the watching child and replace this process by the program."""
    (certificate, key, folder, *options), command = split(arguments)
    program = os.getpid()
    if os.fork() == 0:
        die_with_parent()
        configure_logging("certificate-renewal")
        try:
            watch(Renewal(PemFiles(Path(certificate), Path(key)), Path(folder)), program, reload="--reload" in options)
        finally:
            os._exit(0)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
