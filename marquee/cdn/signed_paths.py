"""Signed paths of streams, in the form that the edges verify.

The signature is nginx's secure_link: MD5 over expiry, playback session, title, version and the edges' shared secret. It stands
in the path, not in a query: so it is valid for every file below, and the relative URIs in a manifest need no addition. The
session tells the edges' log who plays; their cache key leaves it out, so all viewers of a title share one entry. The edges'
side is `deploy/templates/nginx/edge.conf.jinja`.
"""

import base64
import hashlib

from marquee.documents import keys


def stream_path(secret: str, movie_id: str, version: int, *, expires_at: int, session_id: str | None = None) -> str:
    """`/v/{token}/{expires}/{session_id}/{movie_id}/v{version}/`. A player may read below it until `expires_at` (Unix seconds).

    Without a session, as the chain's own checks read, the path has no such part. Paths of releases before sessions have none.
    """
    below = keys.published_prefix(movie_id, version)
    if session_id is not None:
        below = f"{session_id}/{below}"
    signed = f"{expires_at}/{below.rstrip('/')} {secret}".encode()
    digest = hashlib.md5(signed).digest()  # noqa: S324  (nginx's secure_link knows only MD5)
    token = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"/v/{token}/{expires_at}/{below}"
