"""Requests with a long deadline have a long time-out at the gateway too."""

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute


def _waits_long(method: str, path: str) -> bool:
    """The routes marked `long` in deploy/templates/envoy/gateway.yaml.jinja."""
    removals = ("/api/v1/titles/", "/api/v1/history")
    cancels = method == "POST" and path.startswith("/api/v1/titles/") and path.endswith("/cancel")
    return path.startswith("/api/v1/uploads/") or cancels or (method == "DELETE" and path.startswith(removals))


@pytest.mark.usefixtures("client")
def test_the_gateway_waits_longer_where_the_api_may_take_longer(app: Litestar) -> None:
    """Any other request would be given up as one that met a process that hangs."""
    long = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.opt.get("is_long")
        for method in handler.http_methods
    }
    assert long, "no handler has the long deadline"
    assert not [each for each in long if not _waits_long(*each)]
