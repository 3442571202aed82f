"""The longer film has what the demo needs: minutes of 720p, several upload parts, a whole number of frames."""

import json
from pathlib import Path

from marquee.demo import reel
from marquee.media.programs.binaries import ffprobe
from marquee.media.programs.process import run


async def test_the_reel_is_long_enough_for_chunks_and_parts(tmp_path: Path) -> None:
    film = await reel.make_reel(tmp_path / "reel.mp4")
    assert film.stat().st_size >= 24 * 1024**2, "the reel must be several upload parts long"
    command = [str(ffprobe()), "-v", "error", "-of", "json", "-show_streams", "-count_packets", str(film)]
    streams = {s["codec_type"]: s for s in json.loads((await run(command, timeout_seconds=60)).stdout)["streams"]}
    assert (streams["video"]["width"], streams["video"]["height"]) == (1280, 720)
    assert int(streams["video"]["nb_read_packets"]) == reel.SECONDS * reel.FRAME_RATE
    assert abs(float(streams["audio"]["duration"]) - reel.SECONDS) < 0.1, "the tone is as long as the picture"
    made_at = film.stat().st_mtime_ns
    assert (await reel.make_reel(film)).stat().st_mtime_ns == made_at, "a reel that is there is not made again"
