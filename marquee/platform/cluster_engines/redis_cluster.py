"""Redis Cluster: three Valkeys from the wheel, a replica of each, for the row cache and for the locks and limits.

One cluster serves both and evicts nothing, as locks want it: the rows of the home page are a few dozen keys of some 20 KB
with an end (`marquee/stores/row_cache/keys.py`), far below MAXMEMORY. Whoever caches more than
that gives the row cache a cluster of its own with `allkeys-lru`, by its own URL. Every node writes an AOF: a master that is
killed and back before its replica takes over has what it had.
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
"""Silence after which a master is held to be lost; its replica then needs another second to be elected."""
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
        # A lost master costs its own slots, until its replica has them, and not the whole cluster.
        "cluster-require-full-coverage": "no",
        "appendonly": "yes",
        # Written before each answer, so that SIGKILL loses nothing; synced once a second, as a replica has it besides.
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": MAXMEMORY,
        "maxmemory-policy": "noeviction",
        # A node that comes back copies its master at once instead of waiting 5 s for others who might want to as well.
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
