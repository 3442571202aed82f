"""The API's composition root: `granian --interface asgi --factory api.app:create_app`.

The lifespan opens the stores and builds the services on them, once for each process. Beside `/api/v1` the application
serves OpenAPI at `/schema`, Scalar's page at `/schema/scalar`, the key set of access tokens at
`/.well-known/jwks.json`, and `/healthz`, `/readyz` and `/metrics`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, Router
from litestar.config.app import AppConfig
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.prometheus import PrometheusConfig, PrometheusController

from api.analytics.controller import ReportController
from api.auth.controller import AccountController, SessionController, jwks
from api.auth.ended_sessions import EndedSessions
from api.auth.keys import keys_of
from api.auth.tokens import AccessTokens
from api.documentation import ScalarPage
from api.exchange import HttpExchange
from api.guards import check_token
from api.health.controller import HealthController
from api.history.controller import HistoryController
from api.home.controller import HomeController
from api.openapi import ExactStructs
from api.problems import answer_error
from api.request_deadline import RequestDeadline
from api.requests import MAX_BODY_BYTES, ApiRequest, UrlValidation
from api.rows.controller import RowController
from api.search.controller import SearchController
from api.security_headers import add_security_headers
from api.services import DEPENDENCIES, build_services
from api.stream.controller import StreamController
from api.stream.schemas import Stream
from api.telemetry.controller import TelemetryController
from api.telemetry.cors import add_telemetry_cors
from api.telemetry.schemas import TelemetryBatch
from api.titles.controller import TitleController
from api.uploads.controller import UploadController
from marquee import __version__
from marquee.errors import SettingsInvalid
from marquee.logs import configure_logging
from marquee.settings import Settings, load_settings
from marquee.stores.opened import open_stores

CONTROLLERS = (
    AccountController,
    SessionController,
    UploadController,
    HomeController,
    RowController,
    SearchController,
    TitleController,
    StreamController,
    TelemetryController,
    HistoryController,
    ReportController,
)


class RootHealthController(HealthController):
    """The health endpoints once more at the root, where supervisors and load balancers expect them."""

    include_in_schema = False


class Metrics(PrometheusController):
    """`/metrics`, in the text format of Prometheus."""

    path = "/metrics"
    include_in_schema = False


def create_app(settings: Settings | None = None) -> Litestar:
    """The application. `settings` are read from the environment when None is given.

    Raises `SettingsInvalid`, which names the setting.
    """
    configure_logging("api")
    # Given settings are fixed. A process of the platform reads its own, and follows a rotation of the token keys.
    follow, settings = settings is None, settings or load_settings()
    _check_secrets(settings)
    keys = keys_of(settings, follow=follow)

    @asynccontextmanager
    async def stores_open(app: Litestar) -> AsyncIterator[None]:
        async with open_stores(settings) as stores:
            ended = EndedSessions(stores.sessions, token_seconds=settings.access_token_seconds)
            app.state.tokens = AccessTokens(keys, life_seconds=settings.access_token_seconds, ended=ended)
            app.state.stores = stores
            app.state.services = build_services(settings, stores, app.state.tokens)
            async with ended.followed(), app.state.services.server_events.published():
                await app.state.services.warm_up.run()
                yield

    metrics = PrometheusConfig(app_name="marquee_api", prefix="marquee_api", group_path=True)
    v1 = Router(
        "/api/v1",
        route_handlers=[*CONTROLLERS, HealthController],
        guards=[check_token],
        middleware=[UrlValidation()],
        # An answer is valid for one viewer and one moment: no proxy may store it.
        cache_control=CacheControlHeader(no_store=True),
    )
    app = Litestar(
        route_handlers=[v1, RootHealthController, Metrics, jwks],
        lifespan=[stores_open],
        dependencies=DEPENDENCIES,
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY_BYTES,
        exception_handlers={Exception: answer_error, HTTPException: answer_error},
        middleware=[metrics.middleware, RequestDeadline(settings.request_deadline_seconds)],
        before_send=[add_security_headers, add_telemetry_cors],
        plugins=[ExactStructs({Stream: TelemetryBatch})],
        openapi_config=_openapi(),
        on_app_init=[_no_debug],
    )
    app.asgi_handler = HttpExchange(app)
    return app


def _check_secrets(settings: Settings) -> None:
    # With an empty secret the API would work, but anybody could sign cursors and stream URLs.
    for name in ("cursor_secret", "edge_secret"):
        if not getattr(settings, name).get_secret_value():
            raise SettingsInvalid(
                f"MARQUEE_{name.upper()} is empty: set it, or MARQUEE_STATE to the platform's state folder.",
                field=f"MARQUEE_{name.upper()}",
            )


def _no_debug(config: AppConfig) -> AppConfig:
    # Off even if LITESTAR_DEBUG is set: a traceback in an answer would show internals to any caller.
    config.debug = False
    return config


async def _refuse_unknown_page(response: Response[Any]) -> Response[Any]:
    # Litestar answers an unknown address below /schema with a page of its own.
    if response.status_code == 404:
        raise NotFoundException
    return response


def _openapi() -> OpenAPIConfig:
    bearer: Any = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
    return OpenAPIConfig(
        title="Marquee",
        version=__version__,
        description="Video on demand: home, search, playing, progress, uploads. Errors are RFC 9457 problem documents.",
        path="/schema",
        openapi_router=Router(
            "/schema",
            route_handlers=[],
            include_in_schema=False,
            dto=None,
            return_dto=None,
            after_request=_refuse_unknown_page,
        ),
        render_plugins=[JsonRenderPlugin(path="/openapi.json"), ScalarPage(), YamlRenderPlugin()],
        components=Components(security_schemes={"bearer": bearer}),
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _method, _path: handler.handler_name,
    )
