"""The page at `/schema/scalar`: Scalar, which shows this API's OpenAPI document.

The page's origin keeps the viewers' refresh tokens, so the page loads nothing from another host. Scalar's files are
part of the web client (`make web` puts them below `/scalar/`), and the Content-Security-Policy allows scripts only from
files of this origin. Scalar creates style elements while it runs; each carries the response's nonce.
"""

import secrets
from html import escape
from typing import Any, Final

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from api.security_headers import set_content_security_policy

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'nonce-{nonce}'",
        # Scalar colours code examples with style attributes. A style can load a picture; img-src bounds from where.
        "style-src-attr 'unsafe-inline'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE: Final = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta property="csp-nonce" content="{nonce}">
    <title>{title} API</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/scalar/page.css">
  </head>
  <body>
    <div id="reference" data-document="{document}"></div>
    <noscript>This page needs JavaScript. The document itself is at <a href="{document}">{document}</a>.</noscript>
    <script src="/scalar/start.js"></script>
    <script src="/scalar/standalone.js"></script>
  </body>
</html>
"""


class ScalarPage(OpenAPIRenderPlugin):
    """Replaces Litestar's own plugin, whose page loads scripts and styles from other hosts."""

    def __init__(self) -> None:
        super().__init__(path="/scalar")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page, with a new nonce; also sets the response's Content-Security-Policy."""
        nonce = secrets.token_urlsafe(16)
        set_content_security_policy(request, _POLICY.format(nonce=nonce))
        document = self.get_openapi_json_route(request)
        return _PAGE.format(
            nonce=nonce, title=escape(openapi_schema["info"]["title"]), document=escape(document)
        ).encode()
