"""The gateway's own errors as Envoy's `local_reply_config`: each is a problem document that no cache keeps.

Envoy takes the first mapper whose filter fits. First come reasons that share a status with others, then each status of
`marquee.http_problems`, then all other statuses.
"""

from typing import Any

from marquee.http_problems import (
    BY_STATUS,
    HTTPS_NEEDED,
    PROBLEM_MEDIA_TYPE,
    REQUEST_MALFORMED,
    TARGET_REFUSED,
    UPGRADE_REFUSED,
    HttpProblem,
)

ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
HEADERS = {405: ("allow", ALLOWED_METHODS), 426: ("upgrade", "HTTP/1.1, h2c")}
"""Status -> the header that HTTP demands with it."""


def local_replies(max_request_bytes: int) -> dict[str, Any]:
    """Value of `local_reply_config`."""
    too_large = _longer_than(max_request_bytes)
    # Envoy has no route for `OPTIONS *`, and answers 404.
    no_path = {"header": {"name": ":path", "string_match": {"prefix": "/"}, "invert_match": True}}
    return {
        "mappers": [
            {
                **_mapper(
                    TARGET_REFUSED, {"and_filter": {"filters": [_status("EQ", 404), {"header_filter": no_path}]}}
                ),
                "status_code": TARGET_REFUSED.status,
            },
            {
                **_mapper(
                    BY_STATUS[413],
                    {"and_filter": {"filters": [_status("EQ", 403), {"header_filter": {"header": too_large}}]}},
                ),
                "status_code": 413,
            },
            _mapper(UPGRADE_REFUSED, _status("EQ", UPGRADE_REFUSED.status)),
            *(
                _mapper(one, _status("EQ", status))
                for status, one in BY_STATUS.items()
                if status != UPGRADE_REFUSED.status
            ),
            _mapper(BY_STATUS[500], _status("GE", 500)),
            _mapper(REQUEST_MALFORMED, _status("GE", 400)),
        ]
    }


def redirect_replies() -> dict[str, Any]:
    """Value of `local_reply_config` of the port that sends to https."""
    return {
        "mappers": [
            _mapper(HTTPS_NEEDED, _status("EQ", HTTPS_NEEDED.status)),
            *(
                _mapper(one, _status("EQ", status))
                for status, one in BY_STATUS.items()
                if status != HTTPS_NEEDED.status
            ),
            _mapper(BY_STATUS[500], _status("GE", 500)),
            _mapper(REQUEST_MALFORMED, _status("GE", 400)),
        ]
    }


def announced_size_filter(max_request_bytes: int) -> dict[str, Any]:
    """The HTTP filter that refuses a body by its Content-Length, before the client has sent it.

    The buffer filter refuses only what has arrived. This one answers 403, which `local_replies` turns into 413.
    """
    package = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
    too_large = _longer_than(max_request_bytes)
    policy = {"permissions": [{"header": too_large}], "principals": [{"any": True}]}
    return {
        "name": "envoy.filters.http.rbac",
        "typed_config": {"@type": package, "rules": {"action": "DENY", "policies": {"announced-size": policy}}},
    }


def _longer_than(max_request_bytes: int) -> dict[str, Any]:
    return {"name": "content-length", "range_match": {"start": max_request_bytes + 1, "end": 2**63 - 1}}


def _status(operator: str, status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": f"problem_{operator}_{status}"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


def _mapper(problem: HttpProblem, request_filter: dict[str, Any]) -> dict[str, Any]:
    # Envoy says of a refused token why: missing, expired, not verified.
    reason = " (%LOCAL_REPLY_BODY%)" if problem.status == 401 else ""
    headers = [_header("cache-control", "no-store", "OVERWRITE_IF_EXISTS_OR_ADD")]
    if problem.retry_after_seconds:
        headers.append(_header("retry-after", str(problem.retry_after_seconds), "ADD_IF_ABSENT"))
    if problem.status in HEADERS:
        headers.append(_header(*HEADERS[problem.status], "ADD_IF_ABSENT"))
    return {
        "filter": request_filter,
        "headers_to_add": headers,
        "body_format_override": {
            "content_type": PROBLEM_MEDIA_TYPE,
            "json_format": {
                "type": "about:blank",
                "title": problem.title,
                "status": "%RESPONSE_CODE%",
                "code": problem.code,
                "detail": problem.detail + reason,
            },
        },
    }


def _header(name: str, value: str, action: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": action}
