"""The indices of one search index: the live one, the one that is being built, and the one before.

Generation N is the index `{alias}-v{schema}-N`. The alias `{alias}-v{schema}` names the one that is searched, and moves in
one step; `{alias}-v{schema}-building` names the one that a rebuild fills, and every writer writes there too, so that nothing that
arrives during a rebuild is missing after it. The generation before stays until the next rebuild, for searches that are under
way. A rebuild that was killed leaves its index, which is written for nothing until the next rebuild removes it. Of two rebuilds
the newer one wins: the older one's index is removed, and it ends with `RebuildOvertaken` as soon as it notices.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec
from elasticsearch import AsyncElasticsearch, BadRequestError, NotFoundError

from marquee.errors import RebuildOvertaken, StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.search.elasticsearch.answers import Acknowledged, Aliases
from marquee.stores.search.elasticsearch.client import WRITE_SECONDS, reason_of, translated
from marquee.stores.search.elasticsearch.mapping import MAPPING, SCHEMA_VERSION, index_settings
from marquee.stores.search.elasticsearch.url import Target

ATTEMPTS: Final = 5

log = get_logger()


@dataclass(frozen=True)
class Standing:
    """Which generations there are now, by index name."""

    live: str | None
    building: str | None
    all: list[str] = field(default_factory=list)
    """Lowest number first."""


class Generations:
    def __init__(self, client: AsyncElasticsearch, target: Target) -> None:
        self._client = client.options(request_timeout=WRITE_SECONDS)
        self._settings = index_settings(target.replicas)
        self.live: Final = f"{target.alias}-v{SCHEMA_VERSION}"
        self.building: Final = f"{self.live}-building"

    async def standing(self) -> Standing:
        with translated():
            answer = await self._client.indices.get_alias(index=f"{self.live}-*")
        found = msgspec.json.decode(answer.body, type=dict[str, Aliases])
        generations = sorted((name for name in found if self._number(name) is not None), key=self._number)  # type: ignore[arg-type]
        named = {alias: name for name in generations for alias in found[name].aliases}
        return Standing(named.get(self.live), named.get(self.building), generations)

    def _number(self, name: str) -> int | None:
        number = name.removeprefix(f"{self.live}-")
        return int(number) if number.isdecimal() else None

    async def ensure_live(self) -> None:
        """Make an empty first generation where there is no live one; several may ask at once."""
        for _ in range(ATTEMPTS):
            standing = await self.standing()
            if standing.live is not None or await self._create(standing, self.live) is not None:
                return
        raise StoreUnavailable(f"The search index {self.live} could not be created: others keep creating it.")

    async def begin(self) -> str:
        """A new, empty generation that is being built; one that another rebuild was building is given up.

        Raises `RebuildOvertaken` where others begin at the same moment again and again.
        """
        for _ in range(ATTEMPTS):
            standing = await self.standing()
            if standing.building is not None:
                await self.give_up(standing.building)
            made = await self._create(standing, self.building)
            if made is not None:
                return made
        raise self.overtaken()

    async def _create(self, standing: Standing, alias: str) -> str | None:
        """The next generation under an alias; None where somebody else was first."""
        highest = max((self._number(name) or 0 for name in standing.all), default=0)
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
            raise StoreUnavailable(f"Not every node knows the new index {name} yet.")
        return name

    def overtaken(self) -> RebuildOvertaken:
        return RebuildOvertaken(
            f"A newer rebuild of the search index {self.live} has taken this one's place: wait until that one has ended, "
            "and rebuild again only if it failed."
        )

    async def make_live(self, generation: str) -> None:
        """Swap to a generation that is whole, in one step; drop those before the last one (the next rebuild, if that fails).

        Raises `RebuildOvertaken` where it is no longer the one that is being built.
        """
        before = await self.standing()
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
                # Overtaken since we looked; or the client repeated a swap whose answer was lost.
                if (await self.standing()).live != generation:
                    raise self.overtaken() from error
        try:
            await self.remove([name for name in before.all if name not in (generation, before.live)])
        except StoreUnavailable as error:
            log.warning("older search indices are left for the next rebuild", reason=error.detail)

    async def give_up(self, generation: str) -> None:
        """Remove a generation that is being built; one that went live meanwhile stays.

        The swap demands the building alias as this does, so exactly one of the two has it.
        """
        action = {"remove": {"index": generation, "alias": self.building, "must_exist": True}}
        with translated():
            try:
                await self._client.indices.update_aliases(actions=[action])
            except NotFoundError:
                return
        await self.remove([generation])

    async def remove(self, generations: list[str]) -> None:
        for name in generations:
            with translated():
                try:
                    await self._client.indices.delete(index=name)
                except NotFoundError:
                    continue  # somebody else was first
