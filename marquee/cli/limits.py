"""`marquee rate-limits`: prints the configuration of the rate limit service that several gateways share."""

import json

import typer

from marquee.platform.programs.gateway_limits import service_configuration
from marquee.settings import load_settings


def rate_limits() -> None:
    """Print the configuration of a shared rate limit service (MARQUEE_RATE_LIMIT_URL): the gateway's limits, as YAML."""
    # Every JSON document is a YAML document.
    typer.echo(json.dumps(service_configuration(load_settings()), indent=2))
