"""Every error that crosses a layer. Each is named after the fact and carries its HTTP status.

The API turns an error into an RFC 9457 problem document (`code`, `title`, `detail`, `field`). The CLI prints `detail`.
The chain stores `detail` as the title's reason. `detail` is a sentence for a person: what is wrong, with the value and
the field; then what to do.
"""


class MarqueeError(Exception):
    """Base of all errors that may be shown to a person.

    `detail` is one sentence. `field` is the dotted name of the input at fault; None if no input is at fault.
    """

    status = 500
    code = "internal-error"
    title = "Something went wrong on our side"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class InputInvalid(MarqueeError):
    """A value of a request or a file cannot be used; `field` names it."""

    status = 400
    code = "input-invalid"
    title = "The request has a value that cannot be used"


class CursorInvalid(InputInvalid):
    """The cursor is forged, of another page or of an older format. The first page always works."""

    code = "cursor-invalid"
    title = "The cursor was not issued by this platform"


class NotAuthenticated(MarqueeError):
    """The request has no valid token, or the login is wrong."""

    status = 401
    code = "not-authenticated"
    title = "Log in first"


class NotPermitted(MarqueeError):
    """The account's role lacks the right, or the object belongs to another account."""

    status = 403
    code = "not-permitted"
    title = "This account may not do that"


class TitleUnknown(MarqueeError):
    """No title has this id, or the caller may not see the title."""

    status = 404
    code = "title-unknown"
    title = "No such title"


class SubtitlesRefused(MarqueeError):
    """A subtitle file cannot be read: its encoding cannot be told, or its format is not known here."""

    status = 422
    code = "subtitles-refused"
    title = "The subtitle file cannot be read"


class UploadUnknown(MarqueeError):
    """No upload has this id."""

    status = 404
    code = "upload-unknown"
    title = "No such upload"


class ProfileUnknown(MarqueeError):
    """The account has no profile with this id."""

    status = 404
    code = "profile-unknown"
    title = "No such profile"


class SessionUnknown(MarqueeError):
    """The caller's account has no session with this id."""

    status = 404
    code = "session-unknown"
    title = "No such session"


class RowUnknown(MarqueeError):
    """No row of the home page has this id."""

    status = 404
    code = "row-unknown"
    title = "No such row"


class TitleNotPlayable(MarqueeError):
    """The title has no playable version; `detail` says why."""

    status = 409
    code = "title-not-playable"
    title = "This title cannot be played yet"


class ObjectMissing(MarqueeError):
    """An object that should be in the store is missing; `detail` names its key."""

    status = 404
    code = "object-missing"
    title = "A stored object is missing"


class UploadStateConflict(MarqueeError):
    """The upload's state does not allow the request: a completed upload takes no parts, for example."""

    status = 409
    code = "upload-state-conflict"
    title = "The upload is not in a state that allows this"


class VersionNotInWork(MarqueeError):
    """The version ended already: there is nothing to cancel."""

    status = 409
    code = "version-not-in-work"
    title = "This version is no longer in work"


class AccountExists(MarqueeError):
    """The e-mail address is registered already, perhaps in another spelling."""

    status = 409
    code = "account-exists"
    title = "An account with this address exists"


class RevisionConflict(MarqueeError):
    """The title was changed after the caller read it. Read it again, then repeat the change."""

    status = 409
    code = "revision-conflict"
    title = "The title changed meanwhile"


class RebuildOvertaken(MarqueeError):
    """A newer rebuild of the search index has replaced this one. This rebuild ends and must not be retried.

    Not a `StoreUnavailable`, which is retried: two rebuilds that are retried would replace each other for ever.
    """

    status = 409
    code = "rebuild-overtaken"
    title = "A newer rebuild of the search index has taken this one's place"


class UploadTooLarge(MarqueeError):
    """The file is larger than `upload_max_bytes`."""

    status = 413
    code = "upload-too-large"
    title = "The file is larger than this platform accepts"


class MediaTypeRefused(MarqueeError):
    """The file is not of a kind that the request takes: no film, or no subtitle file."""

    status = 415
    code = "media-type-refused"
    title = "This kind of file is not accepted"


class PartsMismatch(MarqueeError):
    """S3 does not hold the parts that the completion declares, or holds other bytes."""

    status = 422
    code = "parts-mismatch"
    title = "The uploaded parts are not what was declared"


class TooManyRequests(MarqueeError):
    """A rate limit or a queue is full. The caller may try again after `retry_after_seconds`."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, *, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailable(MarqueeError):
    """An engine did not answer within its time-out. The caller may try again later."""

    status = 503
    code = "store-unavailable"
    title = "A part of the platform is not reachable"


class SourceRefused(MarqueeError):
    """The uploaded file cannot become a title; `detail` says why, for the person who uploaded it."""

    status = 422
    code = "source-refused"
    title = "This file cannot be turned into a title"


class ProcessFailed(MarqueeError):
    """A media process ended with an error; `detail` ends with the tail of its stderr."""

    code = "process-failed"
    title = "A media process failed"


class ProcessTimedOut(ProcessFailed):
    """A media process was killed because it exceeded its time limit."""

    code = "process-timed-out"
    title = "A media process took too long"


class ProcessLost(MarqueeError):
    """The machine killed a media process or could not start it. The file is not to blame, and a retry may succeed.

    Not a `ProcessFailed`: callers that tolerate damaged files must not swallow this one.
    """

    code = "process-lost"
    title = "The machine ended a media process"


class ChunkFailed(MarqueeError):
    """A chunk used up its attempts; `detail` has the encoder's own words."""

    code = "chunk-failed"
    title = "A chunk of this title could not be transcoded"


class IngestCancelled(MarqueeError):
    """The version was cancelled while a run worked on it: the run ends, and nothing of the version is kept."""

    code = "ingest-cancelled"
    title = "The ingest of this version was cancelled"


class StageMissing(MarqueeError):
    """A stage has no result for this version: it did not run, or its result went when the version failed. Run it first."""

    status = 409
    code = "stage-missing"
    title = "An earlier stage has to run first"


class LeaseLost(MarqueeError):
    """Another worker holds the job's lease now: the fencing token is no longer the newest."""

    status = 409
    code = "lease-lost"
    title = "Another worker holds this job now"


class SettingsInvalid(MarqueeError):
    """A setting has a value that cannot be used; `field` is its MARQUEE_... name."""

    code = "settings-invalid"
    title = "A setting cannot be used"


class PlatformUnavailable(MarqueeError):
    """The platform, or a part of it, could not be started or reached; `detail` says what to do."""

    status = 503
    code = "platform-unavailable"
    title = "The platform is not reachable"
