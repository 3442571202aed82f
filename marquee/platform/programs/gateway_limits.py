"""The gateway's rate limits: how many requests one client address and one account may send, by the kind of request.

ROUTE_CLASSES is the data. From it come the filters of `deploy/templates/envoy/gateway.yaml.jinja` and the configuration of a
rate limit service that several gateways share (`marquee rate-limits`). Envoy has a bucket for each address and each account, at
most MAX_BUCKETS for each limit; the least recently used bucket is dropped, and is full when its owner returns.

Every bucket is filled once a second, so `Retry-After: 1` is true. One address may be a household or a whole company behind one
NAT: the limits by address leave room for thousands of viewers. The API counts wrong passwords (`api/auth/attempts.py`).
MARQUEE_RATE_LIMIT_SCALE multiplies every limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from marquee.domain.client_address import IPV4_PREFIX, IPV6_PREFIX
from marquee.settings import Settings

DOMAIN: Final = "marquee"
"""The domain of the rate limit service's configuration."""
GLOBAL_CLUSTER: Final = "rate-limit"
GLOBAL_TIMEOUT_SECONDS: Final = 0.05
"""A service that answers later is ignored: the gateway's own limits still hold."""
MAX_BUCKETS: Final = 10_000
MACHINE_RATE: Final = 3000
"""Requests a second of all clients together, far above what one machine's API can answer."""
_TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http"
_ALWAYS: Final = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
_RETRY_AFTER: Final = [
    {"header": {"key": "retry-after", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"},
]
_JWT_AUTHN: Final = "envoy.filters.http.jwt_authn"
JWT_PAYLOAD: Final = "token"
"""Key under which `jwt_authn` puts the verified token's claims into the request's metadata."""


@dataclass(frozen=True)
class Bucket:
    """`rate` requests a second for a long time, and `burst` requests at once."""

    rate: int
    burst: int

    def scaled(self, scale: float) -> dict[str, Any]:
        """Envoy's token bucket; never less than one request a second."""
        rate, burst = (max(1, round(each * scale)) for each in (self.rate, self.burst))
        return {"max_tokens": max(rate, burst), "tokens_per_fill": rate, "fill_interval": "1s"}


@dataclass(frozen=True)
class RouteClass:
    """Requests that share a limit. `path` is a regular expression of the whole path with its query.

    `method` is None for every method, `by_account` None where nobody is logged in.
    """

    name: str
    method: str | None
    path: str
    by_address: Bucket
    by_account: Bucket | None


_QUERY: Final = r"(\?.*)?"
ROUTE_CLASSES: Final = (
    # A login costs a hash of 19 MiB and 25 ms. 40 colleagues may open their laptops in the same second.
    RouteClass("logins", "POST", f"/api/v1/sessions/?{_QUERY}", Bucket(5, 40), None),
    # The same hash, and a row in the database for ever. The API has limits by the hour and the day too.
    RouteClass("registrations", "POST", f"/api/v1/accounts/?{_QUERY}", Bucket(2, 40), None),
    # A session refreshes every 15 minutes: 50 a second are 45,000 sessions behind one address. The log-out by cookie needs no
    # access token either, and asks PostgreSQL too.
    RouteClass("refreshes", None, f"/api/v1/sessions/(refresh|current)/?{_QUERY}", Bucket(50, 200), None),
    # One or two hashes each. Nobody changes a password every second.
    RouteClass("passwords", "POST", f"/api/v1/accounts/password/?{_QUERY}", Bucket(5, 40), Bucket(1, 10)),
    # Search as you type is at most 10 a second for each viewer.
    RouteClass("search", None, f"/api/v1/search/?{_QUERY}", Bucket(300, 600), Bucket(150, 300)),
    # A page of home is one request, scrolling a few more.
    RouteClass("browsing", None, r"/api/v1/(home|rows)([/?].*)?", Bucket(400, 800), Bucket(150, 300)),
    # One for each film that is started.
    RouteClass("stream", None, f"/api/v1/stream/?{_QUERY}", Bucket(300, 600), Bucket(150, 300)),
    # One in 4 s from each viewer: 1,500 a second are 6,000 viewers behind one address.
    RouteClass("progress", None, f"/api/v1/stream/progress/?{_QUERY}", Bucket(1500, 3000), Bucket(300, 600)),
    # A player posts every ten seconds: 1,500 a second are 15,000 viewers behind one address. Nobody is logged in here; the API
    # counts the events of each playback session.
    RouteClass("telemetry", None, f"/api/v1/telemetry/[^/]*{_QUERY}", Bucket(1500, 3000), None),
    # The engineers' list: filtered as one types, and read again every few seconds while a title is in work.
    RouteClass("titles", "GET", f"/api/v1/titles/?{_QUERY}", Bucket(100, 400), Bucket(30, 120)),
    # A client asks for the URLs of many parts at once; a folder of small films is a few requests for each film.
    RouteClass("uploads", None, r"/api/v1/uploads([/?].*)?", Bucket(100, 400), Bucket(50, 200)),
)
EVERYTHING: Final = RouteClass("everything", None, ".*", Bucket(2000, 4000), Bucket(600, 1200))
"""The bound of all classes together and of what is in no class: pages, pictures of the web client, a title, history.

It is less than MACHINE_RATE: one address cannot use up what there is for everybody.
"""


def address_filters(settings: Settings) -> list[dict[str, Any]]:
    """Envoy's filters of the limits by client address. They stand before the token is checked: refusing costs least."""
    classes = (*ROUTE_CLASSES, EVERYTHING)
    return _filters("address", {each: each.by_address for each in classes}, settings)


def account_filters(settings: Settings) -> list[dict[str, Any]]:
    """Envoy's filters of the limits by account. They stand behind `jwt_authn`, so that only verified claims count."""
    classes = {each: each.by_account for each in (*ROUTE_CLASSES, EVERYTHING) if each.by_account is not None}
    return _filters("account", classes, settings)


def clusters(settings: Settings) -> list[dict[str, Any]]:
    """Envoy's cluster of the shared rate limit service; none without MARQUEE_RATE_LIMIT_URL."""
    if not settings.rate_limit_url:
        return []
    parts = urlsplit(settings.rate_limit_url)
    address = {"socket_address": {"address": parts.hostname, "port_value": parts.port}}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return [
        {
            "name": GLOBAL_CLUSTER,
            "type": "STRICT_DNS",
            "connect_timeout": "1s",
            "load_assignment": {
                "cluster_name": GLOBAL_CLUSTER,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
            },
            "circuit_breakers": {"thresholds": [{"max_requests": 1000, "max_pending_requests": 200}]},
            "typed_extension_protocol_options": {
                options: {
                    "@type": f"type.googleapis.com/{options}",
                    "explicit_http_config": {"http2_protocol_options": {}},
                }
            },
        }
    ]


def service_configuration(settings: Settings) -> dict[str, Any]:
    """The configuration file of the shared rate limit service (github.com/envoyproxy/ratelimit): the same limits.

    The service counts in fixed windows of a second and knows no burst, so a window allows the bucket's burst. The gateways'
    own buckets bound the long run.
    """
    descriptors = []
    for scope, key in (("address", "masked_remote_address"), ("account", "account")):
        for each in (*ROUTE_CLASSES, EVERYTHING):
            bucket = each.by_address if scope == "address" else each.by_account
            if bucket is not None:
                limit = {"unit": "second", "requests_per_unit": bucket.scaled(settings.rate_limit_scale)["max_tokens"]}
                descriptors.append(
                    {
                        "key": "class",
                        "value": f"{each.name}-by-{scope}",
                        "descriptors": [{"key": key, "rate_limit": limit}],
                    }
                )
    return {"domain": DOMAIN, "descriptors": descriptors}


def _filters(scope: str, buckets: Mapping[RouteClass, Bucket], settings: Settings) -> list[dict[str, Any]]:
    actions = [{"actions": [_class_of(each, scope), _sender(scope)]} for each in buckets]
    local = {
        "@type": f"{_TYPE}.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": f"by_{scope}",
        "token_bucket": Bucket(MACHINE_RATE, 2 * MACHINE_RATE).scaled(settings.rate_limit_scale),
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "response_headers_to_add": _RETRY_AFTER,
        "max_dynamic_descriptors": MAX_BUCKETS,
        "rate_limits": actions,
        "descriptors": [
            {
                # An entry without a value matches every value, and each value has a bucket of its own.
                "entries": [{"key": "class", "value": f"{each.name}-by-{scope}"}, {"key": _sender_key(scope)}],
                "token_bucket": bucket.scaled(settings.rate_limit_scale),
            }
            for each, bucket in buckets.items()
        ],
    }
    filters = [{"name": "envoy.filters.http.local_ratelimit", "typed_config": local}]
    if settings.rate_limit_url:
        shared = {
            "@type": f"{_TYPE}.ratelimit.v3.RateLimit",
            "domain": DOMAIN,
            "stat_prefix": f"by_{scope}",
            "timeout": f"{GLOBAL_TIMEOUT_SECONDS}s",
            # Without an answer the request passes: the gateway's own limits have counted it already.
            "failure_mode_deny": False,
            "response_headers_to_add": _RETRY_AFTER,
            "rate_limits": actions,
            "rate_limit_service": {
                "transport_api_version": "V3",
                "grpc_service": {"envoy_grpc": {"cluster_name": GLOBAL_CLUSTER}},
            },
        }
        filters.append({"name": "envoy.filters.http.ratelimit", "typed_config": shared})
    return filters


def _class_of(route_class: RouteClass, scope: str) -> dict[str, Any]:
    headers: list[dict[str, Any]] = [{"name": ":path", "string_match": {"safe_regex": {"regex": route_class.path}}}]
    if route_class.method is not None:
        headers.append({"name": ":method", "string_match": {"exact": route_class.method}})
    value = f"{route_class.name}-by-{scope}"
    return {"header_value_match": {"descriptor_key": "class", "descriptor_value": value, "headers": headers}}


def _sender_key(scope: str) -> str:
    return "masked_remote_address" if scope == "address" else "account"


def _sender(scope: str) -> dict[str, Any]:
    """The action that names a bucket's owner. Without a verified token there is no account, and no limit by account."""
    if scope == "address":
        return {"masked_remote_address": {"v4_prefix_mask_len": IPV4_PREFIX, "v6_prefix_mask_len": IPV6_PREFIX}}
    claim = {"key": _JWT_AUTHN, "path": [{"key": JWT_PAYLOAD}, {"key": "sub"}]}
    return {"metadata": {"descriptor_key": "account", "metadata_key": claim, "source": "DYNAMIC"}}
