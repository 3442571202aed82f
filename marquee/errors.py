"""Every error that crosses a layer, named after the fact and carrying its HTTP status.

The API turns each into an RFC 9457 problem document (`code`, `title`, `detail`, `field`); the CLI prints
`detail`; the chain records it as the title's reason. `detail` is written for a person: what is wrong, with
which field, and what to do.
"""


class MarqueeError(Exception):
    """Base of all errors that a caller may show to a person.

    `detail` is one sentence for people; `field` names the input at fault, in dotted form, where there is one.
    """

    status = 500
    code = "internal-error"
    title = "Something went wrong on our side"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class InputInvalid(MarqueeError):
    status = 400
    code = "input-invalid"
    title = "The request has a value that cannot be used"


class CursorInvalid(InputInvalid):
    code = "cursor-invalid"
    title = "The cursor was not issued by this platform"


class NotAuthenticated(MarqueeError):
    status = 401
    code = "not-authenticated"
    title = "Log in first"


class NotPermitted(MarqueeError):
    status = 403
    code = "not-permitted"
    title = "This account may not do that"


class TitleUnknown(MarqueeError):
    status = 404
    code = "title-unknown"
    title = "No such title"


class UploadUnknown(MarqueeError):
    status = 404
    code = "upload-unknown"
    title = "No such upload"


class RowUnknown(MarqueeError):
    status = 404
    code = "row-unknown"
    title = "No such row"


class TitleNotPlayable(MarqueeError):
    status = 409
    code = "title-not-playable"
    title = "This title cannot be played yet"


class ObjectMissing(MarqueeError):
    """An object that should be in the store is not there; `detail` names its key."""

    status = 404
    code = "object-missing"
    title = "A stored object is missing"


class UploadStateConflict(MarqueeError):
    status = 409
    code = "upload-state-conflict"
    title = "The upload is not in a state that allows this"


class AccountExists(MarqueeError):
    status = 409
    code = "account-exists"
    title = "An account with this address exists"


class RevisionConflict(MarqueeError):
    status = 409
    code = "revision-conflict"
    title = "The title changed meanwhile"


class RebuildOvertaken(MarqueeError):
    """A newer rebuild of the search index has taken this one's place: this one ends, and is not repeated meanwhile.

    Not a `StoreUnavailable`: two that repeat themselves would drive each other out for ever.
    """

    status = 409
    code = "rebuild-overtaken"
    title = "A newer rebuild of the search index has taken this one's place"


class UploadTooLarge(MarqueeError):
    status = 413
    code = "upload-too-large"
    title = "The file is larger than this platform accepts"


class MediaTypeRefused(MarqueeError):
    status = 415
    code = "media-type-refused"
    title = "This kind of file is not accepted"


class PartsMismatch(MarqueeError):
    status = 422
    code = "parts-mismatch"
    title = "The uploaded parts are not what was declared"


class TooManyRequests(MarqueeError):
    status = 429
    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailable(MarqueeError):
    """An engine did not answer within its time-out; the caller may try again later."""

    status = 503
    code = "store-unavailable"
    title = "A part of the platform is not reachable"


class SourceRefused(MarqueeError):
    """The uploaded file cannot become a title; `detail` says why in words a person understands."""

    status = 422
    code = "source-refused"
    title = "This file cannot be turned into a title"


class ProcessFailed(MarqueeError):
    """A media process ended badly; `detail` ends with the tail of its stderr."""

    code = "process-failed"
    title = "A media process failed"


class ProcessTimedOut(ProcessFailed):
    code = "process-timed-out"
    title = "A media process took too long"


class ProcessLost(MarqueeError):
    """The machine ended a media process, or could not start it: this says nothing of the file, and another try may go well.

    No `ProcessFailed`, so that whoever makes do without what a damaged file does not give lets it pass.
    """

    code = "process-lost"
    title = "The machine ended a media process"


class ChunkFailed(MarqueeError):
    """A chunk used up its attempts; `detail` carries the encoder's own words."""

    code = "chunk-failed"
    title = "A chunk of this title could not be transcoded"


class LeaseLost(MarqueeError):
    """The fencing token is no longer the job's newest: somebody else holds the lease now."""

    status = 409
    code = "lease-lost"
    title = "Another worker holds this job now"


class SettingsInvalid(MarqueeError):
    """A setting has a value that cannot be used; `field` is its MARQUEE_... name."""

    code = "settings-invalid"
    title = "A setting cannot be used"


class PlatformUnavailable(MarqueeError):
    """The platform, or a part of it, could not be started or reached; `detail` names the remedy."""

    status = 503
    code = "platform-unavailable"
    title = "The platform is not reachable"
