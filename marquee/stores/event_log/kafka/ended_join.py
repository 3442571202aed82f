"""A fault of kafka-python 3.0.12: it forgets a join that ended between two polls, and joins the group a second time.

`ConsumerCoordinator.join_group_async` waits for the join that a shorter poll began only while that join still runs. Where it
has ended, the client begins another one. The broker answers a second join of the group's leader with one more rebalance of
all members: each takeover cost two rebalances, and every member missed the generation between them.
"""

from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaConsumer
from kafka.future import Future
from kafka.structs import MemberState


class EndedJoin:
    """Stands for a join that has succeeded, and says that it still runs: so the client takes its outcome."""

    is_done: Final = False

    def __init__(self, join: Future) -> None:
        self._join = join

    def add_callback(self, call: Callable[[Any], Any]) -> None:
        """`call` runs at once."""
        self._join.add_callback(call)

    def add_errback(self, call: Callable[[Any], Any]) -> None:
        """Nothing to do: a join that failed is not kept."""


def keep_ended_join(client: KafkaConsumer) -> None:
    """Let the next poll take the outcome of a join that ended meanwhile. Call it before each poll."""
    coordinator = client._coordinator
    join = coordinator._join_task
    # Another state: the member was thrown out meanwhile, and has to join again.
    if isinstance(join, Future) and join.succeeded() and coordinator.state is MemberState.REBALANCING:
        coordinator._join_task = EndedJoin(join)
