"""Every setting of the platform, in one typed class. No other module reads the environment.

A value comes from `MARQUEE_<NAME>`, else from `marquee.env` in the state folder (the first start writes the secrets there),
else from the default in `groups`. Every port is `port_base` plus a fixed offset, so two platforms with different bases run on
one machine. A URL's scheme chooses the engine. Without a URL the platform starts an engine of its own.
"""

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote

import dotenv
from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from marquee.code_locations import CodeLocation
from marquee.errors import SettingsInvalid
from marquee.ports import PORT_OFFSETS, api_port_name, local_address
from marquee.settings import groups
from marquee.settings.edge import Edges
from marquee.settings.lake import Lake
from marquee.settings.limits import Limits
from marquee.settings.media import Media
from marquee.settings.public_endpoints import PublicBounds, PublicEndpoints, Tls
from marquee.settings.renamed import OLD_NAMES, values_of_old_names
from marquee.settings.spark import Spark
from marquee.settings.uploads import Uploads

ENVIRONMENT_FILE: Final = "marquee.env"


class Settings(
    groups.OneMachine,
    groups.Engines,
    groups.LocalEngines,
    groups.InnerAddresses,
    PublicEndpoints,
    PublicBounds,
    Tls,
    groups.Secrets,
    groups.FirstAccount,
    Uploads,
    Media,
    groups.TranscodingJobs,
    groups.Serving,
    Edges,
    Limits,
    Lake,
    groups.Dagster,
    Spark,
    BaseSettings,
):
    """The fields of every group, and the addresses that follow from them. Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_", extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _settle_state_folder(cls, values: dict[str, object]) -> dict[str, object]:
        """Make the state folder's path absolute, because other processes have other working directories."""
        state = Path(str(values.get("state") or ".marquee")).expanduser()
        values["state"] = state if state.is_absolute() else Path.cwd() / state
        return values

    def port(self, name: str) -> int:
        """The port of one listener of this machine, by its name in `marquee.ports`."""
        return self.port_base + PORT_OFFSETS[name]

    def loopback(self, name: str, scheme: str = "http") -> str:
        """URL of a listener on loopback, by its name in `marquee.ports`."""
        return f"{scheme}://127.0.0.1:{self.port(name)}"

    def public_endpoint(self, name: str) -> str:
        """URL of one of this machine's public endpoints (gateway, edges, S3), as this machine reaches it."""
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{local_address(self.bind_host)}:{self.port(name)}"

    def inner(self, name: str, scheme: str = "http") -> str:
        """URL of one of this machine's internal services (API, web client, Dagster), as this machine reaches it."""
        return f"{scheme}://{local_address(self.inner_host)}:{self.port(name)}"

    # The addresses that the rest of the code uses: the setting if it is set, else this machine's engine.

    def postgres_url(self, database: str) -> str:
        """URL of a database in this machine's own PostgreSQL."""
        password = self.postgres_password.get_secret_value()
        return f"postgresql://marquee:{password}@127.0.0.1:{self.port('postgres')}/{database}"

    @property
    def database(self) -> str:
        return self.database_url or self.postgres_url("marquee")

    @property
    def dagster_database(self) -> str:
        return self.dagster_database_url or self.postgres_url("dagster")

    @property
    def resume_positions(self) -> str:
        return self.resume_positions_url or self.database

    @property
    def event_log(self) -> str:
        return self.event_log_url or self.loopback("log", "valkey")

    @property
    def row_cache(self) -> str:
        return self.row_cache_url or self.loopback("cache", "valkey")

    @property
    def coordination(self) -> str:
        return self.coordination_url or self.loopback("log", "valkey")

    @property
    def search(self) -> str:
        return self.search_url or f"tantivy://{self.state / 'search'}"

    @property
    def objects(self) -> str:
        return self.objects_url or self.inner("s3_inner", "s3+http") + "/marquee-ingest"

    @property
    def published(self) -> str:
        return self.published_url or self.inner("s3_inner", "s3+http") + "/marquee-published"

    @property
    def lake(self) -> str:
        return self.lake_url or f"file://{quote(str(self.state / 'lake'))}"

    @property
    def public(self) -> str:
        return self.public_url or self.public_endpoint("gateway")

    @property
    def public_s3(self) -> str:
        return self.public_s3_url or self.public_endpoint("s3")

    @property
    def edges(self) -> list[str]:
        return _listed(self.public_edge_urls) or [self.public_endpoint("edge_1"), self.public_endpoint("edge_2")]

    @property
    def inner_edges(self) -> list[str]:
        return _listed(self.edge_urls) or self.edges

    @property
    def apis(self) -> list[str]:
        """The API's processes, as the gateway reaches them."""
        numbers = range(1, self.api_workers + 1)
        return _listed(self.api_url) or [self.inner(api_port_name(number)) for number in numbers]

    @property
    def web(self) -> str:
        return self.web_url or self.inner("web")

    @property
    def s3_pace(self) -> str:
        return self.s3_pace_url or self.inner("s3_pace")

    @property
    def dagster(self) -> str:
        return self.dagster_url or self.inner("dagster")

    def dagster_code(self, location: CodeLocation) -> str:
        """URL of a location's code server, as Dagster's webserver and daemon reach it."""
        return self.given_dagster_code.get(location.name) or self.local_dagster_code(location)

    @property
    def given_dagster_code(self) -> dict[str, str]:
        """The code servers that `dagster_code_urls` names: location -> URL."""
        return dict(pair.split("=", 1) for pair in _listed(self.dagster_code_urls))

    def local_dagster_code(self, location: CodeLocation) -> str:
        """URL of a location's code server on this machine."""
        return f"grpc://{local_address(self.inner_host)}:{self.port_base + location.port_offset}"


def _listed(urls: str) -> list[str]:
    return [url.strip().rstrip("/") for url in urls.split(",") if url.strip()]


def setting_of(variable: str) -> str:
    """The field of `Settings` that belongs to a MARQUEE_... variable."""
    return variable.removeprefix("MARQUEE_").lower()


def load_settings(**overrides: object) -> Settings:
    """Read the settings of this process; `overrides` (field name -> value) come first.

    Raises `SettingsInvalid` naming the MARQUEE_... variable, by its old name if that one is given, and what it must be.
    """
    folder = Path(str(overrides.get("state") or os.environ.get("MARQUEE_STATE") or ".marquee")).expanduser()
    environment_file = folder / ENVIRONMENT_FILE
    stored = dotenv.dotenv_values(environment_file) if environment_file.is_file() else {}
    renamed = values_of_old_names(stored, os.environ)
    try:
        return Settings(
            _env_file=environment_file if environment_file.is_file() else None,  # type: ignore[call-arg]
            **{**renamed, **overrides},  # type: ignore[arg-type]
        )
    except ValidationError as error:
        first = error.errors()[0]
        setting = "_".join(str(part) for part in first["loc"]).lower()
        name = variable = f"MARQUEE_{setting.upper()}"
        if setting in renamed and setting not in overrides:
            name = f"MARQUEE_{OLD_NAMES[setting].upper()}"
        now = "" if name == variable else f" It is now called {variable}."
        raise SettingsInvalid(f"{name} cannot be used: {first['msg'].lower()}.{now}", field=name) from error
