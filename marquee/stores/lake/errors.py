"""The errors of the lake. No client gets them: they tell the sink and what keeps the lake how to go on."""

from marquee.errors import MarqueeError


class SinkOvertaken(MarqueeError):
    """A newer event sink writes the lake: this one's commits are refused, and its batch is the other's to write."""

    status = 409
    code = "sink-overtaken"
    title = "Another event sink has taken this one's place"


class ErasuresChanged(MarqueeError):
    """A profile's erasure was asked for while a batch of events was written. Write the batch again without its rows."""

    status = 409
    code = "erasures-changed"
    title = "An erasure was asked for meanwhile"


class LakeFileRetired(MarqueeError):
    """A file of the lake that was to be rewritten has been replaced by another change. Read the list again."""

    status = 409
    code = "lake-file-retired"
    title = "A file of the lake was replaced meanwhile"


class LakeFileUnreadable(MarqueeError):
    """A live file of the lake is damaged, or has other rows than the list says."""

    code = "lake-file-unreadable"
    title = "A file of the lake cannot be read"
