"""The generations (indices) of one search index: the live one, the one that a rebuild fills, and the previous one.

Generation N is the index `{alias}-v{schema}-N`. The alias `{alias}-v{schema}` names the live generation, which is searched, and
moves in one step. `{alias}-v{schema}-building` names the one that a rebuild fills; every writer writes to it too, so that it
misses no change that arrives during the rebuild. The previous generation stays until the next rebuild, for searches in
progress. A killed rebuild leaves its index, which writers keep filling until the next rebuild removes it. Of two rebuilds the
newer one wins: it removes the older one's index, and the older one raises `RebuildOvertaken` at its next step.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec
from elasticsearch import AsyncElasticsearch, BadRequestError, NotFoundError

from marquee.errors import RebuildOvertaken, StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.search.elasticsearch.answers import Acknowledged, IndexAliases
from marquee.stores.search.elasticsearch.client import WRITE_SECONDS, reason_of, translated
from marquee.stores.search.elasticsearch.mapping import MAPPING, SCHEMA_VERSION, index_settings
from marquee.stores.search.elasticsearch.url import Target

MAX_ATTEMPTS: Final = 5
"""How often an index is created while other processes create the same one first."""

log = get_logger()


@dataclass(frozen=True)
class ExistingGenerations:
    """The existing generations, by index name. `live` and `building` are None if their alias names no index."""

    live: str | None
    building: str | None
    all: list[str] = field(default_factory=list)
    """Every generation, lowest number first."""


class Generations:
    """Creates, swaps and removes generations. `live` and `building` are the two aliases."""

    def __init__(self, client: AsyncElasticsearch, target: Target) -> None:
        self._client = client.options(request_timeout=WRITE_SECONDS)
        self._settings = index_settings(target.replicas)
        self.live: Final = f"{target.alias}-v{SCHEMA_VERSION}"
        self.building: Final = f"{self.live}-building"

    async def existing(self) -> ExistingGenerations:
        """Ask the cluster which generations exist. Raises `StoreUnavailable`, as every call here does."""
        with translated():
            answer = await self._client.indices.get_alias(index=f"{self.live}-*")
        found = msgspec.json.decode(answer.body, type=dict[str, IndexAliases])
        generations = sorted((name for name in found if self._number(name) is not None), key=self._number)  # type: ignore[arg-type]
        named = {alias: name for name in generations for alias in found[name].aliases}
        return ExistingGenerations(named.get(self.live), named.get(self.building), generations)

    def _number(self, name: str) -> int | None:
        number = name.removeprefix(f"{self.live}-")
        return int(number) if number.isdecimal() else None

    async def ensure_live(self) -> None:
        """Create an empty first generation if there is no live one. Several processes may call this at once."""
        for _ in range(MAX_ATTEMPTS):
            existing = await self.existing()
            if existing.live is not None or await self._create(existing, self.live) is not None:
                return
        raise StoreUnavailable(
            f"The search index {self.live} could not be created: other processes keep creating it; try again in a moment."
        )

    async def begin(self) -> str:
        """Create an empty generation for a rebuild and return its name. An older rebuild's generation is removed.

        Raises `RebuildOvertaken` if other rebuilds begin at the same moment `MAX_ATTEMPTS` times.
        """
        for _ in range(MAX_ATTEMPTS):
            existing = await self.existing()
            if existing.building is not None:
                await self.remove_building(existing.building)
            made = await self._create(existing, self.building)
            if made is not None:
                return made
        raise self.overtaken()

    async def _create(self, existing: ExistingGenerations, alias: str) -> str | None:
        """Create the next generation under an alias; None if another process created it first."""
        highest = max((self._number(name) or 0 for name in existing.all), default=0)
        name = f"{self.live}-{highest + 1}"
        with translated():
            try:
                answer = await self._client.indices.create(
                    index=name, mappings=MAPPING, settings=self._settings, aliases={alias: {}}
                )
            except BadRequestError as error:
                if reason_of(error)[0] == "resource_already_exists_exception":
                    return None
                raise
        if not msgspec.json.decode(answer.body, type=Acknowledged).acknowledged:
            raise StoreUnavailable(f"Not every node knows the new index {name} yet; try again in a moment.")
        return name

    def overtaken(self) -> RebuildOvertaken:
        """The error to raise when a newer rebuild has begun."""
        return RebuildOvertaken(
            f"A newer rebuild of the search index {self.live} has replaced this one: wait until the newer one has ended, "
            "and rebuild again only if it failed."
        )

    async def make_live(self, generation: str) -> None:
        """Swap to a complete generation in one step, then remove all but it and the previous one.

        If the removal fails, the next rebuild removes them. Raises `RebuildOvertaken` if `generation` no longer has the
        building alias.
        """
        before = await self.existing()
        if before.building != generation:
            raise self.overtaken()
        actions: list[dict[str, object]] = [
            {"remove": {"index": generation, "alias": self.building, "must_exist": True}},
            {"add": {"index": generation, "alias": self.live}},
        ]
        if before.live is not None:
            actions.insert(0, {"remove": {"index": before.live, "alias": self.live, "must_exist": True}})
        with translated():
            try:
                await self._client.indices.update_aliases(actions=actions)
            except NotFoundError as error:
                # Either overtaken since `existing`, or the client repeated a swap whose answer was lost.
                if (await self.existing()).live != generation:
                    raise self.overtaken() from error
        try:
            await self.remove([name for name in before.all if name not in (generation, before.live)])
        except StoreUnavailable as error:
            log.warning("older search indices are left for the next rebuild", reason=error.detail)

    async def remove_building(self, generation: str) -> None:
        """Remove a generation that is being built, unless it is live by now.

        Both this and the swap remove the building alias, which must exist: so only one of the two succeeds.
        """
        action = {"remove": {"index": generation, "alias": self.building, "must_exist": True}}
        with translated():
            try:
                await self._client.indices.update_aliases(actions=[action])
            except NotFoundError:
                return
        await self.remove([generation])

    async def remove(self, generations: list[str]) -> None:
        """Delete these indices. A missing one is no error."""
        for name in generations:
            with translated():
                try:
                    await self._client.indices.delete(index=name)
                except NotFoundError:
                    continue  # another process deleted it first
