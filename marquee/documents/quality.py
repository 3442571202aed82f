"""How good a version looks: VMAF of every rung, on a sample of the files that viewers get.

The stage `quality` writes the document. The blocking check `picture_good_enough` compares the top rung with the
platform's minimum.
"""

import msgspec

from marquee.documents.plan import Codec
from marquee.notes import Note


class QualityScore(msgspec.Struct, frozen=True, kw_only=True):
    """VMAF of a rendition on a sample of its segments, scored at the source's display size."""

    rung: str
    vmaf_mean: float
    vmaf_min: float
    frames_scored: int
    segments_scored: int
    cpu_seconds: float
    worst_start_frame: int = 0
    """The first frame of the sample with the lowest mean."""
    worst_vmaf: float | None = None
    """The mean of that sample."""


class SecondLook(msgspec.Struct, frozen=True, kw_only=True):
    """What tells a picture that lacks bits from a wrong one: the worst sample of a rung below the floor, looked at again.

    `encoded_again_vmaf`: what the same encode of the source's frames, decoded from the film's start, scores. `thumbnail_psnr_db`:
    how like the source the rung's pictures are if both are reduced to a thumbnail.
    """

    rung: str
    start_frame: int
    vmaf: float
    encoded_again_vmaf: float
    thumbnail_psnr_db: float


class QualityDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of a version."""

    movie_id: str
    version: int
    scores: list[QualityScore]
    """One for each rung: H.264's from the lowest to the highest, then each other codec's."""
    second_look: SecondLook | None = None
    """Of H.264's top rung, if it is below the platform's floor."""
    other_looks: list[SecondLook] = []
    """Of the other codecs' top rungs, likewise."""
    left_out: list[Codec] = []
    """Optional codecs whose picture is wrong: no manifest names them."""

    def look_at(self, rung: str) -> SecondLook | None:
        """The second look at this rung."""
        looks = [*([self.second_look] if self.second_look else []), *self.other_looks]
        return next((one for one in looks if one.rung == rung), None)

    notes: list[Note] = []
