"""Which codecs the platform's ffmpeg can decode: the usual ones are known without asking it."""

from marquee.media.programs import binaries
from marquee.media.programs.decoders import USUAL, decodable_codecs


async def test_every_usual_codec_is_decodable() -> None:
    listed = await decodable_codecs(binaries.ffmpeg(), [*USUAL, "ac4"])
    assert listed == USUAL, "the list of usual codecs names one that this build cannot decode"
