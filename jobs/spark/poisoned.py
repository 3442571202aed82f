"""The error of a file that a job must not count from."""

from marquee.errors import MarqueeError


class EventsUnusable(MarqueeError):
    """A file of the lake is damaged, or holds what no event can be; `detail` names the file. Nothing was written from it."""

    code = "events-unusable"
    title = "A file of the lake cannot be used"
