"""Redis Cluster: three Valkey masters from the wheel and one replica of each, for the row cache and for locks and limits.

One cluster serves both purposes and evicts nothing, because locks must not be evicted. The row cache fits: the rows of the home
page are a few dozen keys of about 20 KB, each with a TTL (`marquee/stores/row_cache/keys.py`), far below MAXMEMORY. A larger row
cache needs a cluster of its own with `allkeys-lru`, named by its own URL. Every node writes an AOF: a master that is killed and
restarts before its replica takes over has lost nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from marquee.platform.cluster_engines.cluster_formation import NodeAddress, form_cluster, open_node
from marquee.platform.cluster_engines.engine import Engine, EngineHome
from marquee.platform.programs import binaries
from marquee.platform.supervisor.program import Program
from marquee.stores.coordination import open_coordination

MASTERS: Final = 3
NODES: Final = 2 * MASTERS
NODE_TIMEOUT_MS: Final = 1500
"""A master that is silent for this long counts as lost. The election of its replica takes one more second."""
MAXMEMORY: Final = "64mb"
FORMING_SECONDS: Final = 30.0
HOST: Final = "127.0.0.1"

_NUMBERS: Final = range(1, NODES + 1)


def _node(number: int) -> str:
    return f"node_{number}"


def _bus(number: int) -> str:
    return f"bus_{number}"


def _programs(home: EngineHome) -> Sequence[Program]:
    return [_program(home, number) for number in _NUMBERS]


def _program(home: EngineHome, number: int) -> Program:
    folder = home.folder / f"node-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    port = home.ports[_node(number)]
    options = {
        "port": port,
        "bind": HOST,
        "dir": folder,
        "protected-mode": "yes",
        "daemonize": "no",
        "cluster-enabled": "yes",
        "cluster-config-file": "nodes.conf",
        "cluster-port": home.ports[_bus(number)],
        "cluster-announce-ip": HOST,
        "cluster-node-timeout": NODE_TIMEOUT_MS,
        # While a master is lost only its own slots are unavailable, not the whole cluster.
        "cluster-require-full-coverage": "no",
        "appendonly": "yes",
        # Each write reaches the kernel before the answer, so SIGKILL loses nothing. An fsync per second suffices: a replica
        # has the data too.
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": MAXMEMORY,
        "maxmemory-policy": "noeviction",
        # A returning replica gets its copy at once. By default the master waits 5 s for further replicas.
        "repl-diskless-sync-delay": 0,
    }

    async def ready() -> None:
        async with open_node(HOST, port) as client:
            await client.ping()

    return Program(
        name=f"redis-cluster-{number}",
        command=(
            str(binaries.valkey_server()),
            *(part for name, value in options.items() for part in (f"--{name}", str(value))),
        ),
        ready=ready,
        stage=10,
        port=port,
    )


def _urls(home: EngineHome) -> Mapping[str, str]:
    url = "valkey-cluster://" + ",".join(f"{HOST}:{home.ports[_node(number)]}" for number in _NUMBERS)
    return {"MARQUEE_ROW_CACHE_URL": url, "MARQUEE_COORDINATION_URL": url}


async def _prepare(home: EngineHome) -> None:
    addresses = [NodeAddress(HOST, home.ports[_node(number)], home.ports[_bus(number)]) for number in _NUMBERS]
    await form_cluster(addresses, masters=MASTERS, seconds=FORMING_SECONDS)
    coordination = open_coordination(_urls(home)["MARQUEE_COORDINATION_URL"])
    try:
        await coordination.ping()
    finally:
        await coordination.close()


REDIS_CLUSTER: Final = Engine(
    name="redis-cluster",
    port_names=(*(_node(number) for number in _NUMBERS), *(_bus(number) for number in _NUMBERS)),
    programs=_programs,
    urls=_urls,
    prepare=_prepare,
)
