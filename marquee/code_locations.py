"""Dagster's code locations: each has definitions of its own, and a code server that loads them and nothing else.

`CODE_LOCATIONS` is the only list. From it follow a port (`marquee.ports`) and a program (`marquee.platform.topology`) for each
code server, Dagster's workspace, and the settings that a host must have (`marquee.platform.hosts`). Files that are written by
hand have one entry for each: `workspace.yaml`, the compose file, the Kubernetes manifests. Tests compare them with this list.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CodeLocation:
    """One code location. Its code server is the program `dagster-code-NAME`."""

    name: str
    module: str
    """Holds the definitions. Only this location's code server and its runs import it."""
    port_offset: int
    """Of the code server, from `port_base`."""
    preloaded: bool = False
    """The supervisor imports the module, and the code server is a fork of it. All other forks then have these modules too, so
    this is only for a location that imports little beside Dagster."""
    stored_name: str = ""
    """The name in Dagster's storage, if it is another one. Dagster finds runs and the cursors of sensors by it."""
    needed_settings: tuple[str, ...] = ()
    """The settings that its code server and its runs require, beside Dagster's database: the URL of each store that a stage or
    a sensor names, and secrets."""

    @property
    def program(self) -> str:
        return f"dagster-code-{self.name}"

    @property
    def port_name(self) -> str:
        return f"dagster_code_{self.name}"

    @property
    def name_in_dagster(self) -> str:
        return self.stored_name or self.name


CODE_LOCATIONS: Final = (
    # Its first name was `orchestration`. Under a new name the sensor `uploads` would begin at the first upload again.
    CodeLocation(
        "ingest",
        "orchestration.ingest",
        port_offset=15,
        preloaded=True,
        stored_name="orchestration",
        needed_settings=(
            *("database_url", "event_log_url", "row_cache_url", "search_url", "objects_url", "published_url"),
            "edge_secret",  # `prewarm` signs the paths that it asks the edges for
        ),
    ),
    # Spark and dbt are processes of its runs, and checks import Great Expectations: the code server is as small as the first.
    CodeLocation(
        "analytics",
        "orchestration.analytics",
        port_offset=19,
        # The sensor asks the event log how far the sink is behind.
        needed_settings=("database_url", "event_log_url", "row_cache_url", "objects_url", "lake_url"),
    ),
)
