"""A real API server for tests: granian as the supervisor starts it, with all settings in its environment."""

import contextlib
import dataclasses
from collections.abc import Iterator

from pydantic import SecretStr

from marquee.platform.programs import applications
from marquee.ports import api_port_name
from marquee.settings import Settings
from tests.harness.servers import running


def environment_of(settings: Settings) -> dict[str, str]:
    """The MARQUEE_... variables from which another process reads the same settings."""
    found = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        if plain != "":
            found[f"MARQUEE_{name.upper()}"] = str(plain)
    return found


@contextlib.contextmanager
def serving(settings: Settings, number: int = 1) -> Iterator[str]:
    """The URL of a running process of the API."""
    program = applications.api(settings, number)
    program = dataclasses.replace(program, environment={**program.environment, **environment_of(settings)})
    with running(program, settings.state, seconds=90):
        yield settings.loopback(api_port_name(number))
