"""Builds the API's services over one set of stores, once in the lifespan, and injects them into handlers by name.

All circuit breakers of the process come from one factory, so bulkheads of the same name share a breaker.
"""

from dataclasses import dataclass
from typing import Any

from litestar.datastructures import State
from litestar.di import Provide
from purgatory import AsyncCircuitBreakerFactory

from api.analytics.service import ReportService
from api.auth.attempts import LoginAttempts, ReliableCounter
from api.auth.cookies import BrowserCookies, cookies_of
from api.auth.devices import Devices
from api.auth.passwords import Passwords
from api.auth.service import AuthService
from api.auth.sessions import SessionService
from api.auth.tokens import AccessTokens
from api.client_address import provide_client_address
from api.guards import provide_caller
from api.health.service import HealthService
from api.history.noted import NotedTitles
from api.history.removal import RemovalService
from api.history.service import HistoryService
from api.home.service import HomeService
from api.rows.service import RowService
from api.rows.shared import SharedRows
from api.search.service import SearchService
from api.stream.service import StreamService
from api.telemetry.server_events import ServerEvents
from api.telemetry.service import TelemetryService
from api.titles.service import TitleService
from api.titles.similar import SimilarTitles
from api.uploads.service import UploadService
from api.warm_up import WarmUp
from marquee.settings import Settings
from marquee.stores.opened import Stores


@dataclass(frozen=True)
class Services:
    """The services. A handler gets one by naming a parameter like its field. `warm_up` and
    `server_events` are for the lifespan."""

    auth: AuthService
    browser_cookies: BrowserCookies
    health: HealthService
    history: HistoryService
    removals: RemovalService
    reports: ReportService
    home: HomeService
    rows: RowService
    search: SearchService
    sessions: SessionService
    similar_titles: SimilarTitles
    server_events: ServerEvents
    streams: StreamService
    telemetry: TelemetryService
    titles: TitleService
    uploads: UploadService
    warm_up: WarmUp


def build_services(settings: Settings, stores: Stores, tokens: AccessTokens) -> Services:
    """All services over these stores."""
    breakers = AsyncCircuitBreakerFactory()
    catalogue = stores.catalogue
    shared = SharedRows(catalogue.rows, stores.findings, stores.row_cache, stores.coordination, breakers, settings)
    rows = RowService(shared, catalogue.rows, stores.findings, stores.resume_positions, breakers, settings)
    home = HomeService(rows, settings)
    noted = NotedTitles()
    warm_up = WarmUp(home, stores.search)
    server_events = ServerEvents(stores.event_log)
    telemetry = TelemetryService(stores.event_log, breakers, settings)
    return Services(
        auth=AuthService(
            stores.accounts,
            LoginAttempts(ReliableCounter(stores.coordination)),
            Devices(settings.cursor_secret.get_secret_value()),
            Passwords(),
        ),
        browser_cookies=cookies_of(settings.public),
        health=HealthService(
            {
                "catalogue": catalogue.ping,
                "resume_positions": stores.resume_positions.ping,
                "search": stores.search.ping,
                "objects": stores.objects.ping,
                "row_cache": stores.row_cache.ping,
                "coordination": stores.coordination.ping,
                "rows": warm_up.ping,
            }
        ),
        history=HistoryService(stores.history, catalogue.rows, settings),
        removals=RemovalService(catalogue.titles, stores.resume_positions, stores.history, noted, settings),
        reports=ReportService(stores.reports, breakers, settings),
        home=home,
        rows=rows,
        search=SearchService(stores.search, server_events, telemetry, settings),
        sessions=SessionService(stores.sessions, stores.accounts, tokens, settings),
        similar_titles=SimilarTitles(shared),
        server_events=server_events,
        streams=StreamService(
            catalogue.titles, stores.resume_positions, stores.history, noted, server_events, settings
        ),
        telemetry=telemetry,
        titles=TitleService(
            catalogue.titles, catalogue.versions, catalogue.uploads, shared, stores.objects, stores.published, settings
        ),
        uploads=UploadService(catalogue.uploads, catalogue.versions, catalogue.titles, stores.objects, settings),
        warm_up=warm_up,
    )


def _provide(name: str) -> Provide:
    def service(state: State) -> Any:
        return getattr(state.services, name)

    return Provide(service, sync_to_thread=False)


DEPENDENCIES = {
    "caller": Provide(provide_caller, sync_to_thread=False),
    "client_address": Provide(provide_client_address, sync_to_thread=False),
    **{name: _provide(name) for name in Services.__dataclass_fields__},
}
"""Litestar's dependencies: the caller, the client's address, and each service by its name in `Services`."""
