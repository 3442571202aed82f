"""Makes one cluster of nodes that know nothing of each other, or half of it: by CLUSTER commands, each only where it is needed.

The first nodes get the slots in equal ranges, everyone meets the first, and each of the others follows a master that has no
replica. What a formation that was killed left behind is completed; what a failover moved stays as it is.
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
    host: str
    port: int
    bus_port: int


class _NotYet(Exception):
    """What is still missing."""


@dataclass(frozen=True)
class _Member:
    """A node as it sees itself. `known` are the ids of all that it knows as whole, itself among them."""

    address: NodeAddress
    client: Any
    node_id: str
    slots: tuple[tuple[str, ...], ...]
    follows: str | None
    known: frozenset[str]


async def form_cluster(addresses: Sequence[NodeAddress], *, masters: int, seconds: float) -> None:
    """Until every slot has a master and every other node follows one and has its data; idempotent.

    Raises `PlatformUnavailable` saying what is missing after `seconds`.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type((_NotYet, RedisError)),
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
        except (_NotYet, RedisError) as error:
            raise PlatformUnavailable(f"The cluster was not whole after {seconds:.0f} s: {error}.") from error


def open_node(host: str, port: int) -> Any:
    """A client of one node, for its own view of things; the library annotates answers as it would not decode them."""
    return redis.Redis(
        host=host,
        port=port,
        socket_timeout=PROBE_SECONDS,
        socket_connect_timeout=PROBE_SECONDS,
        decode_responses=True,
    )


async def _advance(addresses: Sequence[NodeAddress], clients: Sequence[Any], masters: int) -> None:
    """Do what can be done now; raises `_NotYet` until nothing is left."""
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
            # Numbers of their own from the start: two masters of one epoch would first have to settle who is older.
            await member.client.cluster("SET-CONFIG-EPOCH", number + 1)
        await member.client.cluster("ADDSLOTSRANGE", first, last)
        raise _NotYet(f"the slots {first} to {last} were just given to a master")


async def _meet(members: Sequence[_Member]) -> None:
    first = members[0]
    for other in members[1:]:
        if other.node_id not in first.known:
            address = other.address
            await first.client.cluster("MEET", address.host, address.port, address.bus_port)
    everybody = {member.node_id for member in members}
    for member in members:
        if missing := everybody - member.known:
            raise _NotYet(f"the node on port {member.address.port} does not know {len(missing)} of the others")


async def _follow(members: Sequence[_Member]) -> None:
    followed = {member.follows for member in members}
    alone = [member for member in members if member.slots and member.node_id not in followed]
    free = [member for member in members if not member.slots and member.follows is None]
    for master, replica in zip(alone, free, strict=False):
        await replica.client.cluster("REPLICATE", master.node_id)
    if free:
        raise _NotYet(f"{len(free)} nodes were just told whom to follow")


async def _check_whole(member: _Member) -> None:
    cluster = await member.client.cluster("INFO")
    replication = await member.client.info("replication")
    if cluster["cluster_state"] != "ok" or cluster["cluster_slots_ok"] != str(SLOTS):
        raise _NotYet(
            f"the node on port {member.address.port} says {cluster['cluster_state']}, {cluster['cluster_slots_ok']} slots"
        )
    if replication["role"] == "slave" and replication["master_link_status"] != "up":
        raise _NotYet(f"the node on port {member.address.port} does not have its master's data yet")
