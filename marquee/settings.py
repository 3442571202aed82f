"""Every setting of the platform, in one typed class; nothing else reads the environment.

A value comes from `MARQUEE_<NAME>`, else from the state folder's `marquee.env` (written once at the first start:
secrets, and nothing that another machine would need), else from the default below. Ports default to `port_base`
plus a fixed offset, so that one setting moves a whole platform aside and two run side by side. An engine is chosen
by its URL's scheme: give a URL to replace the supervised engine of that concern.
"""

import os
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from marquee.errors import SettingsInvalid
from marquee.ports import PORT_OFFSETS, reached

ENVIRONMENT_FILE: Final = "marquee.env"


class Settings(BaseSettings):
    """The settings table of the README is made from this class. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_", extra="ignore", frozen=True)

    # --- one machine -------------------------------------------------------------------------------------
    state: Path = Field(Path(".marquee"), description="State folder: data of every engine, logs, sockets.")
    bind_host: str = Field("127.0.0.1", description="Address that the public doors listen on.")
    port_base: int = Field(8400, ge=1024, le=65000, description="First port; every other is an offset of it.")
    transcode_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=0,
        le=256,
        description="Transcode workers on this host.",
    )
    api_workers: int = Field(1, ge=1, le=64, description="API processes.")
    without: str = Field(
        "", description="Programs not to start here, separated by commas, such as edge-1,edge-2,gateway."
    )
    only: str = Field(
        "", description="The only programs to start here, such as transcode, beside a platform of other hosts."
    )
    min_free_bytes: int = Field(2 * 1024**3, ge=0, description="Free disk below which the platform does not start.")

    # --- engines, chosen by scheme (empty: the supervised engine of this machine) --------------------------
    database_url: str = Field("", description="Catalogue, accounts, history, job queue: postgresql://")
    dagster_database_url: str = Field("", description="Dagster's storage: postgresql://")
    resume_positions_url: str = Field("", description="Resume positions: postgresql:// or cassandra://")
    resume_positions_read_also_url: str = Field(
        "", description="While resume positions move: a second store that is read as well; the newer position wins."
    )
    event_log_url: str = Field("", description="Event log: valkey:// or kafka://")
    row_cache_url: str = Field("", description="Row cache: valkey:// or valkey-cluster://")
    coordination_url: str = Field("", description="Locks and limits: valkey:// or valkey-cluster://")
    search_url: str = Field("", description="Search index: tantivy:///folder or elasticsearch://")
    objects_url: str = Field("", description="Ingest bucket: s3://bucket or s3+http(s)://host:port/bucket")
    published_url: str = Field("", description="Published bucket, same form; edges read it without a login.")

    # --- engines of several machines, started here by `marquee engines` ------------------------------------
    engine_cache: Path = Field(
        Path("~/.cache/marquee/engines"), description="Where `marquee engines fetch` keeps the engines' files."
    )
    java_17: str = Field("", description="A Java 17 for Kafka and Cassandra; empty: the wheel's.")
    java_21: str = Field(
        "", description="A Java 21 or newer for Elasticsearch; empty: one that is found, else a wheel's."
    )

    # --- where the programs find each other when they are not all of this machine ---------------------------
    inner_host: str = Field(
        "127.0.0.1",
        description="Address that the API, the web client's files and Dagster listen on: loopback, but in a container.",
    )
    api_url: str = Field("", description="API, as the gateway reaches it: http://host:port")
    web_url: str = Field("", description="Web client's files, as the gateway reaches them: http://host:port")
    edge_urls: str = Field("", description="Edges, as Dagster reaches them to fill them; empty: as clients do.")
    dagster_code_url: str = Field("", description="Dagster's code server, as the rest of it does: grpc://host:port")

    # --- the three public doors ----------------------------------------------------------------------------
    public_url: str = Field("", description="Gateway, as clients reach it.")
    public_s3_url: str = Field("", description="S3 for presigned parts, as clients reach it.")
    public_edge_urls: str = Field("", description="Edges, as clients reach them, separated by commas.")

    # --- secrets (made at the first start, kept in the state folder with mode 0600) ------------------------
    postgres_password: SecretStr = Field(SecretStr(""), description="Password of the supervised PostgreSQL.")
    s3_access_key: SecretStr = Field(SecretStr(""), description="Empty: the ordinary AWS credential chain.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Goes with the access key.")
    cursor_secret: SecretStr = Field(SecretStr(""), description="Signs cursors.")
    token_private_key: SecretStr = Field(SecretStr(""), description="Ed25519 private key, PKCS8 PEM in base64.")
    token_public_key: str = Field("", description="Its public half, for a gateway that is not to have the private one.")
    edge_secret: SecretStr = Field(SecretStr(""), description="Signs stream URLs for the edges.")
    dagster_url: str = Field("", description="Dagster's webserver, for links and for the checks.")

    # --- the account that the CLI logs in with; the first start creates it as a content engineer ---------------
    email: str = Field("demo@marquee.local", description="Account of the CLI and the demo.")
    password: SecretStr = Field(SecretStr(""), description="Its password.")

    # --- uploads ----------------------------------------------------------------------------------------------
    upload_max_bytes: int = Field(200 * 1024**3, ge=1, description="Largest file accepted.")
    upload_part_bytes: int = Field(8 * 1024**2, ge=5 * 1024**2, description="Size of an upload part.")
    upload_abandoned_seconds: int = Field(24 * 3600, ge=1, description="An upload left alone this long is ended.")
    presigned_seconds: int = Field(3600, ge=60, description="How long a part's URL holds.")

    # --- media ------------------------------------------------------------------------------------------------
    encoding_preset: str = Field("veryfast", description="x264 preset of every rendition.")
    chunk_segments: int = Field(3, ge=1, le=60, description="Segments in a chunk.")
    source_max_seconds: float = Field(24 * 3600.0, description="Longest source accepted.")
    source_max_pixels: int = Field(8192 * 4320, description="Largest picture accepted.")
    process_memory_bytes: int = Field(4 * 1024**3, description="Address space of one media process.")
    chunk_keep_seconds: float = Field(
        3600.0, gt=0, description="How long chunks that no version needs any more are kept for a copy of the film."
    )
    lease_seconds: float = Field(30.0, gt=0, description="A job's lease; renewed at a third of it.")
    job_attempts: int = Field(3, ge=1, le=20, description="Attempts before a chunk fails its title.")
    quality_floor_vmaf: float = Field(60.0, ge=0, le=100, description="Mean VMAF that the top rung must reach.")
    cache_bytes: int = Field(4 * 1024**3, description="Disk that a worker may use to hold sources.")

    # --- serving ----------------------------------------------------------------------------------------------
    row_ttl_seconds: int = Field(30, ge=1, description="How long a row stays fresh in the cache.")
    row_timeout_seconds: float = Field(1.0, gt=0, description="A row service's time-out.")
    row_concurrency: int = Field(8, ge=1, description="A row service's bulkhead: concurrent calls.")
    token_seconds: int = Field(900, ge=60, description="Life of an access token.")
    refresh_seconds: int = Field(30 * 24 * 3600, ge=60, description="Life of a refresh token.")
    edge_ttl_seconds: int = Field(
        3600, ge=1, description="How long an edge serves a file without asking the origin, so also a deleted one."
    )
    edge_cache_bytes: int = Field(2 * 1024**3, ge=1024**2, description="Disk that an edge may use.")
    stream_url_seconds: int = Field(6 * 3600, ge=60, description="Life of a stream URL.")
    max_concurrent_runs: int = Field(3, ge=1, description="Dagster runs at once.")
    run_slots_for_releases: int = Field(1, ge=0, description="Of those, kept for hot titles.")

    # --- Dagster beyond one machine -----------------------------------------------------------------------------
    dagster_run_launcher: str = Field(
        "orchestration.launcher.WatchfulRunLauncher", description="What starts Dagster's runs: module.Class"
    )
    dagster_run_launcher_config: str = Field("{}", description="Its configuration, a JSON object.")
    dagster_executor: str = Field(
        "dagster.in_process_executor", description="What runs the steps of a run: module.executor"
    )
    dagster_executor_config: str = Field("{}", description="Its configuration, a JSON object.")
    ffmpeg_slots: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=1000,
        description="Stages at once that call ffmpeg themselves (Dagster's pool ffmpeg), over all runs.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: dict[str, object]) -> dict[str, object]:
        """Settle the state folder, so that every process agrees on it whatever its working directory."""
        state = Path(str(values.get("state") or ".marquee")).expanduser()
        values["state"] = state if state.is_absolute() else Path.cwd() / state
        return values

    def port(self, name: str) -> int:
        """The port of one listener of this machine, by its name in `marquee.ports`."""
        return self.port_base + PORT_OFFSETS[name]

    def loopback(self, name: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port(name)}"

    def door(self, name: str, scheme: str = "http") -> str:
        """One of this machine's public doors, as this machine reaches it."""
        return f"{scheme}://{reached(self.bind_host)}:{self.port(name)}"

    def inner(self, name: str, scheme: str = "http") -> str:
        """One of this machine's inner services, as this machine reaches it."""
        return f"{scheme}://{reached(self.inner_host)}:{self.port(name)}"

    # The addresses that the rest of the code uses: the setting, else this machine's engine.

    def postgres_url(self, database: str) -> str:
        """A database of the PostgreSQL that runs on this platform's port."""
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
        return self.objects_url or self.door("s3", "s3+http") + "/marquee-ingest"

    @property
    def published(self) -> str:
        return self.published_url or self.door("s3", "s3+http") + "/marquee-published"

    @property
    def public(self) -> str:
        return self.public_url or self.door("gateway")

    @property
    def public_s3(self) -> str:
        return self.public_s3_url or self.door("s3")

    @property
    def edges(self) -> list[str]:
        return _listed(self.public_edge_urls) or [self.door("edge_1"), self.door("edge_2")]

    @property
    def inner_edges(self) -> list[str]:
        return _listed(self.edge_urls) or self.edges

    @property
    def api(self) -> str:
        return self.api_url or self.inner("api")

    @property
    def web(self) -> str:
        return self.web_url or self.inner("web")

    @property
    def dagster(self) -> str:
        return self.dagster_url or self.inner("dagster")

    @property
    def dagster_code(self) -> str:
        return self.dagster_code_url or self.inner("dagster_code", "grpc")


def _listed(urls: str) -> list[str]:
    return [url.strip().rstrip("/") for url in urls.split(",") if url.strip()]


def setting_of(variable: str) -> str:
    """The name in `Settings` of a MARQUEE_... variable."""
    return variable.removeprefix("MARQUEE_").lower()


def load_settings(**overrides: object) -> Settings:
    """Read the settings of this process.

    Raises `SettingsInvalid` naming the MARQUEE_... variable and what it must be.
    """
    folder = Path(str(overrides.get("state") or os.environ.get("MARQUEE_STATE") or ".marquee")).expanduser()
    environment_file = folder / ENVIRONMENT_FILE
    try:
        return Settings(
            _env_file=environment_file if environment_file.is_file() else None,  # type: ignore[call-arg]
            **overrides,  # type: ignore[arg-type]
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = "MARQUEE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsInvalid(f"{name} cannot be used: {first['msg'].lower()}.", field=name) from error
