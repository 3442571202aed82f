"""Reads what a player posts to its telemetry URL: a batch of our own events, or a CMCD version 2 report.

Three content types come without a CORS preflight or as players fix them: `text/plain` (`sendBeacon`, `fetch` from other origins),
none (a Blob without a type), `application/cmcd` (CTA-5004-B; hls.js, dash.js). The first character tells the two apart in the
first two cases: a batch is a JSON object, a report begins with a key.
"""

from typing import Final

import msgspec

from api.json_body import check_content_encoding, check_content_type, check_keys
from api.problems import from_decoder
from api.requests import ApiRequest
from api.telemetry.schemas import TelemetryBatch
from marquee.errors import InputInvalid

_CMCD: Final = ("application/cmcd", "text/cmcd")
_UNTYPED: Final = ("", "text/plain")
_DECODER: Final = msgspec.json.Decoder(TelemetryBatch)
_ENCODER: Final = msgspec.json.Encoder()


async def read_report(request: ApiRequest) -> TelemetryBatch | str:
    """A batch, or the text of a CMCD report.

    Raises `InputInvalid`, `ContentTypeRefused`, `ContentEncodingRefused`, `BodyTooLarge`, `BodyIncomplete`.
    """
    body = await request.body()
    check_content_encoding(tuple(request.headers.getall("content-encoding", ())))
    stated = tuple(request.headers.getall("content-type", ()))
    kind = stated[0].partition(";")[0].strip().lower() if stated else ""
    if len(stated) <= 1 and (kind in _CMCD or (kind in _UNTYPED and not body.lstrip().startswith(b"{"))):
        return _text(body)
    if len(stated) > 1 or kind not in _UNTYPED:
        check_content_type(stated)
    return _batch(body)


def _batch(body: bytes) -> TelemetryBatch:
    try:
        batch = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise from_decoder(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputInvalid(f"The body is not valid JSON in UTF-8: {error}.", field="body") from error
    # Without escapes a body has two quotes a string. As many as in the batch written anew: no key stands twice. `check_keys`
    # would read every batch a second time, because its events have the same keys: ten times slower.
    if b"\\" in body or body.count(b'"') != _ENCODER.encode(batch).count(b'"'):
        check_keys(body)
    return batch


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InputInvalid("A CMCD report is text in UTF-8: this body is not.", field="body") from error
