"""Forms a Redis Cluster from separate nodes by CLUSTER commands. Completes a cluster that is formed only in part.

The first nodes become masters and get the slots in equal ranges. The first node meets every other one. Each further node
becomes the replica of a master that has none. Each command is sent only where its effect is missing, so a formation that was
killed can be run again, and roles that a failover has changed stay as they are.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import redis.asyncio as redis
from redis.exceptions import RedisError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random

from marquee.errors import PlatformUnavailable
from marquee.platform.supervisor.probes import PROBE_SECONDS

SLOTS: Final = 16384


@dataclass(frozen=True)
class NodeAddress:
    """Where a node listens: `port` for clients, `bus_port` for the other nodes."""

    host: str
    port: int
    bus_port: int


class _NotFormedYet(Exception):
    """The cluster is not complete; the message says what is missing."""


@dataclass(frozen=True)
class _Member:
    """A node's own view. `follows`: its master's id. `known`: ids of the nodes that it knows to be healthy, with its own."""

    address: NodeAddress
    client: Any
    node_id: str
    slots: tuple[tuple[str, ...], ...]
    follows: str | None
    known: frozenset[str]


async def form_cluster(addresses: Sequence[NodeAddress], *, masters: int, seconds: float) -> None:
    """Form the cluster: `masters` masters own all slots, every other node is a replica that has its master's data.

    Idempotent. Raises `PlatformUnavailable` that says what is missing after `seconds`.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type((_NotFormedYet, RedisError)),
        stop=stop_after_delay(seconds),
        wait=wait_random(0.05, 0.15),
        reraise=True,
    )
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(open_node(address.host, address.port)) for address in addresses]
        try:
            async for attempt in retrying:
                with attempt:
                    await _advance(addresses, clients, masters)
        except (_NotFormedYet, RedisError) as error:
            raise PlatformUnavailable(f"The cluster was not whole after {seconds:.0f} s: {error}.") from error


def open_node(host: str, port: int) -> Any:
    """A client of this node only, not of the cluster. Typed `Any`: the library's types assume undecoded answers."""
    return redis.Redis(
        host=host,
        port=port,
        socket_timeout=PROBE_SECONDS,
        socket_connect_timeout=PROBE_SECONDS,
        decode_responses=True,
    )


async def _advance(addresses: Sequence[NodeAddress], clients: Sequence[Any], masters: int) -> None:
    """Send the commands that are possible now. Raises `_NotFormedYet` until nothing is missing."""
    asked = zip(addresses, clients, strict=True)
    members = await asyncio.gather(*(_member(address, client) for address, client in asked))
    await _share_out_slots(members, masters)
    await _meet(members)
    await _follow(members)
    for member in members:
        await _check_whole(member)


async def _member(address: NodeAddress, client: Any) -> _Member:
    nodes = await client.cluster("NODES")
    (me,) = [node for node in nodes.values() if "myself" in node["flags"]]
    unsure = ("handshake", "noaddr", "fail")
    return _Member(
        address=address,
        client=client,
        node_id=me["node_id"],
        slots=tuple(tuple(bounds) for bounds in me["slots"]),
        follows=me["master_id"] if "slave" in me["flags"] else None,
        known=frozenset(
            node["node_id"] for node in nodes.values() if not any(flag in node["flags"] for flag in unsure)
        ),
    )


async def _share_out_slots(members: Sequence[_Member], masters: int) -> None:
    taken = {bounds for member in members for bounds in member.slots}
    borders = [SLOTS * number // masters for number in range(masters + 1)]
    for number, member in enumerate(members[:masters]):
        first, last = borders[number], borders[number + 1] - 1
        if (str(first), str(last)) in taken:
            continue
        if len(member.known) == 1:
            # A distinct epoch for each master: masters with equal epochs would first have to resolve the conflict.
            await member.client.cluster("SET-CONFIG-EPOCH", number + 1)
        await member.client.cluster("ADDSLOTSRANGE", first, last)
        raise _NotFormedYet(f"the slots {first} to {last} were just given to a master")


async def _meet(members: Sequence[_Member]) -> None:
    first = members[0]
    for other in members[1:]:
        if other.node_id not in first.known:
            address = other.address
            await first.client.cluster("MEET", address.host, address.port, address.bus_port)
    everybody = {member.node_id for member in members}
    for member in members:
        if missing := everybody - member.known:
            raise _NotFormedYet(f"the node on port {member.address.port} does not know {len(missing)} of the others")


async def _follow(members: Sequence[_Member]) -> None:
    followed = {member.follows for member in members}
    alone = [member for member in members if member.slots and member.node_id not in followed]
    free = [member for member in members if not member.slots and member.follows is None]
    for master, replica in zip(alone, free, strict=False):
        await replica.client.cluster("REPLICATE", master.node_id)
    if free:
        raise _NotFormedYet(f"{len(free)} nodes were just told whom to follow")


async def _check_whole(member: _Member) -> None:
    cluster = await member.client.cluster("INFO")
    replication = await member.client.info("replication")
    if cluster["cluster_state"] != "ok" or cluster["cluster_slots_ok"] != str(SLOTS):
        raise _NotFormedYet(
            f"the node on port {member.address.port} says {cluster['cluster_state']}, {cluster['cluster_slots_ok']} slots"
        )
    if replication["role"] == "slave" and replication["master_link_status"] != "up":
        raise _NotFormedYet(f"the node on port {member.address.port} does not have its master's data yet")
