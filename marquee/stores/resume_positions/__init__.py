"""Where each viewer stopped; the engine is chosen by the URL's scheme."""

from marquee.stores.resume_positions.contract import ResumePositions
from marquee.stores.urls import scheme_of


async def open_resume_positions(url: str) -> ResumePositions:
    scheme_of(url, setting="MARQUEE_RESUME_POSITIONS_URL", known=("postgresql",))
    from marquee.stores.resume_positions.postgres import PostgresResumePositions

    return PostgresResumePositions(url)
