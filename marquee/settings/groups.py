"""The fields of `Settings`, in the groups of docs/operating/settings.md.

Each class is a group. The first line of its docstring is the heading on that page, the rest is the introduction below the
heading. A field's description is one or more plain sentences: first the unit, if there is one, then the effect. `Settings`
inherits from every group in GROUPS, so the rest of the code sees one flat class. After a change here, generate the page again
(`marquee settings --markdown`).
"""

import re
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, SecretStr, field_validator

from marquee.code_locations import CODE_LOCATIONS
from marquee.ports import MAX_API_PROCESSES
from marquee.settings.cores import api_processes, cores
from marquee.settings.edge import Edges
from marquee.settings.lake import Lake
from marquee.settings.limits import Limits
from marquee.settings.media import Media
from marquee.settings.public_endpoints import PublicBounds, PublicEndpoints, Tls
from marquee.settings.spark import Spark
from marquee.settings.uploads import Uploads


class OneMachine(BaseModel):
    """This host

    What runs on this host, where its data lies, and which ports it takes.
    """

    state: Path = Field(Path(".marquee"), description="State folder. It holds every engine's data, logs and sockets.")
    bind_host: str = Field("127.0.0.1", description="Address that the public endpoints (gateway, edges, S3) listen on.")
    port_base: int = Field(8400, ge=1024, le=65000, description="First port. Every other port is a fixed offset of it.")
    transcode_workers: int = Field(
        default_factory=cores, ge=0, le=256, description="Number of transcode workers on this host."
    )
    api_workers: int = Field(
        default_factory=api_processes,
        ge=1,
        le=MAX_API_PROCESSES,
        description="Number of API processes on this host. With two, one may be killed or restarted and no request fails.",
    )
    without: str = Field(
        "", description="Programs that are not started here, separated by commas, such as `edge-1,edge-2,gateway`."
    )
    only: str = Field(
        "",
        description="The only programs that are started here, such as `transcode`. The other programs run on other hosts.",
    )
    min_free_bytes: int = Field(
        2 * 1024**3, ge=0, description="Bytes. The platform does not start on a disk with less free space."
    )


class Engines(BaseModel):
    """Engines

    The scheme of the URL chooses the engine. Empty: the engine that runs on this host.
    """

    database_url: str = Field("", description="Catalogue, accounts, history and job queue: `postgresql://`.")
    dagster_database_url: str = Field("", description="Dagster's storage: `postgresql://`.")
    resume_positions_url: str = Field("", description="Resume positions: `postgresql://` or `cassandra://`.")
    resume_positions_read_also_url: str = Field(
        "",
        description="Only while resume positions move: a second store that is read as well. The newer position wins.",
    )
    event_log_url: str = Field("", description="Event log: `valkey://` or `kafka://`.")
    row_cache_url: str = Field("", description="Row cache: `valkey://` or `valkey-cluster://`.")
    coordination_url: str = Field("", description="Locks and limits: `valkey://` or `valkey-cluster://`.")
    search_url: str = Field("", description="Search index: `tantivy:///folder` or `elasticsearch://`.")
    objects_url: str = Field("", description="Ingest bucket: `s3://bucket` or `s3+http(s)://host:port/bucket`.")
    published_url: str = Field(
        "", description="Published bucket, in the same form. The edges read it with a login of their own."
    )
    lake_url: str = Field(
        "",
        description="Lake of viewing events: `file:///folder`, or a bucket of its own in the same form. "
        "Empty: the folder `lake` in the state folder.",
    )


class LocalEngines(BaseModel):
    """Engines of `marquee engines`

    Used only by the command that starts Kafka, Cassandra and the others on this host.
    """

    engine_cache: Path = Field(Path("~/.cache/marquee/engines"), description="Folder of the downloaded engines.")
    java_17: str = Field("", description="Path of a Java 17 for Kafka and Cassandra. Empty: the wheel's.")
    java_21: str = Field(
        "",
        description="Path of a Java 21 or newer for Elasticsearch. Empty: one that is found on this host, else a wheel's.",
    )


class InnerAddresses(BaseModel):
    """Where the programs find each other

    Needed only where the programs run on several hosts. Empty: this host.
    """

    inner_host: str = Field(
        "127.0.0.1",
        description="Address that the API, the web client's files, Dagster and S3's inner port listen on. "
        "Change it in containers only.",
    )
    api_url: str = Field(
        "", description="The API's processes, as the gateway reaches them: `http://host:port`, separated by commas."
    )
    web_url: str = Field("", description="The web client's files, as the gateway reaches them: `http://host:port`.")
    edge_urls: str = Field(
        "",
        description="The edges, as Dagster reaches them to fill them, separated by commas. "
        "Empty: MARQUEE_PUBLIC_EDGE_URLS.",
    )
    s3_pace_url: str = Field("", description="The program `s3-pace`, as the S3 proxy reaches it: `http://host:port`.")
    dagster_url: str = Field(
        "", description="Dagster's webserver, as the commands and the other programs reach it: `http://host:port`."
    )
    dagster_code_urls: str = Field(
        "",
        description="Dagster's code servers, as its webserver and daemon reach them: `name=grpc://host:port`, separated by "
        "commas. Names: " + ", ".join(f"`{location.name}`" for location in CODE_LOCATIONS) + ".",
    )

    @field_validator("dagster_code_urls")
    @classmethod
    def _names_code_servers(cls, value: str) -> str:
        names = {location.name for location in CODE_LOCATIONS}
        for pair in filter(None, (part.strip() for part in value.split(","))):
            name, _, url = pair.partition("=")
            if name not in names or not re.fullmatch(r"grpc://[^/]+:\d+", url):
                raise ValueError(f"{pair!r} is not name=grpc://host:port with a name of {', '.join(sorted(names))}")
        return value


class Secrets(BaseModel):
    """Secrets

    The first start makes the missing secrets and writes them into `marquee.env` in the state folder (mode 0600).
    """

    postgres_password: SecretStr = Field(SecretStr(""), description="Password of the PostgreSQL that runs here.")
    s3_access_key: SecretStr = Field(
        SecretStr(""),
        description="Access key of the ingest bucket. With buckets elsewhere, empty means AWS's ordinary credential chain.",
    )
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Secret key that belongs to the access key.")
    s3_published_access_key: SecretStr = Field(
        SecretStr(""),
        description="Access key that writes the published bucket. Empty: the ingest bucket's login is used for both buckets.",
    )
    s3_published_secret_key: SecretStr = Field(
        SecretStr(""), description="Secret key that belongs to the published bucket's access key."
    )
    s3_edge_access_key: SecretStr = Field(
        SecretStr(""),
        description="Access key with which the edges read the published bucket. The only right that it needs is to read objects.",
    )
    s3_edge_secret_key: SecretStr = Field(
        SecretStr(""), description="Secret key that belongs to the edges' access key."
    )
    s3_lake_access_key: SecretStr = Field(
        SecretStr(""),
        description="Access key of the lake's bucket. Empty: the ingest bucket's login is used for it too.",
    )
    s3_lake_secret_key: SecretStr = Field(
        SecretStr(""), description="Secret key that belongs to the lake's access key."
    )
    cursor_secret: SecretStr = Field(
        SecretStr(""), description="Key that signs the cursors of pages, device tokens and telemetry URLs."
    )
    token_private_key: SecretStr = Field(
        SecretStr(""), description="Key that signs access tokens: Ed25519, PKCS8 PEM in base64."
    )
    token_public_key: str = Field(
        "",
        description="Public half of that key, for a gateway that must not have the private half. Empty: derived from it.",
    )
    token_other_public_keys: SecretStr = Field(
        SecretStr(""),
        description="Further public keys whose access tokens are accepted, separated by commas: the next or the previous one "
        "while keys are rotated. `key@time` is accepted until that time, in Unix seconds.",
    )
    edge_secret: SecretStr = Field(
        SecretStr(""), description="Key that signs stream URLs. The edges check them with it."
    )


class FirstAccount(BaseModel):
    """The first account

    The first start creates this account as a content engineer. The commands log in with it.
    """

    email: str = Field("demo@marquee.local", description="E-mail address. Empty: no account is created.")
    password: SecretStr = Field(SecretStr(""), description="Password.")


class TranscodingJobs(BaseModel):
    """Transcoding jobs

    A job is one chunk of one film.
    """

    lease_seconds: float = Field(
        30.0,
        gt=0,
        description="Seconds after which the job of a dead worker goes to another one. "
        "A living worker renews its lease at a third of it.",
    )
    job_attempts: int = Field(3, ge=1, le=20, description="Number of attempts. After the last one the title fails.")
    chunk_keep_seconds: float = Field(
        3600.0,
        gt=0,
        description="Seconds for which chunks that no version needs are kept, in case the same film is uploaded again.",
    )
    source_cache_bytes: int = Field(
        4 * 1024**3,
        description="Bytes of disk for the masters that this host's workers and Dagster runs share. "
        "Masters in use are never removed, so the cache may be larger for a while.",
    )


class Serving(BaseModel):
    """Serving"""

    row_ttl_seconds: int = Field(30, ge=1, description="Seconds for which a cached row is served without a refresh.")
    request_deadline_seconds: float = Field(
        2.5,
        gt=0,
        description="Seconds within which the API answers: what is not there by then is missing, or the answer is 503. "
        "Requests that complete an upload or remove files have more.",
    )
    row_timeout_seconds: float = Field(
        1.0,
        gt=0,
        description="Seconds that a home page waits for a row's service. Then it shows the stale row, or no row.",
    )
    row_concurrency: int = Field(
        8, ge=1, description="Number of calls at once to one row's service, in each API process (its bulkhead)."
    )
    access_token_seconds: int = Field(900, ge=60, description="Seconds for which an access token is valid.")
    refresh_token_seconds: int = Field(30 * 24 * 3600, ge=60, description="Seconds for which a refresh token is valid.")
    refresh_overlap_seconds: float = Field(
        30.0,
        ge=0,
        le=600,
        description="Seconds after the first use of a refresh token in which the same token gives the same successor again. "
        "A later repeat ends the session.",
    )
    stream_url_seconds: int = Field(6 * 3600, ge=60, description="Seconds for which a stream URL is valid.")


class Dagster(BaseModel):
    """Dagster"""

    max_concurrent_runs: int = Field(3, ge=1, description="Number of runs at once. The others wait in Dagster's queue.")
    run_slots_for_releases: int = Field(1, ge=0, description="Number of those runs that backfills may not take.")
    ffmpeg_slots: int = Field(
        default_factory=cores,
        ge=1,
        le=1000,
        description="Number of stages at once, over all runs, that call ffmpeg themselves (Dagster's pool `ffmpeg`).",
    )
    dagster_run_launcher: str = Field(
        "orchestration.launcher.WatchfulRunLauncher", description="Class that starts the runs: `module.Class`."
    )
    dagster_run_launcher_config: str = Field("{}", description="Configuration of that class: a JSON object.")
    dagster_executor: str = Field(
        "dagster.in_process_executor", description="Executor that runs the steps of a run: `module.executor`."
    )
    dagster_executor_config: str = Field("{}", description="Configuration of that executor: a JSON object.")


GROUPS: Final[tuple[type[BaseModel], ...]] = (
    *(OneMachine, Engines, LocalEngines, InnerAddresses, PublicEndpoints, PublicBounds, Tls, Secrets, FirstAccount),
    *(Uploads, Media, TranscodingJobs, Serving, Edges, Limits, Lake, Dagster, Spark),
)
"""The groups in the order of the settings page."""
