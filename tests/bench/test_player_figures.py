"""What the player's bench makes of what it saw, and the line that it sees it over."""

import asyncio
import time

from hypothesis import given
from hypothesis import strategies as st

from bench.player.figures import Rung, figures, right_height
from bench.player.profiles import PROFILES
from tests.harness.paced_line import Step, bandwidth_at, paced_line

RUNGS = [Rung(720, 1_260_000), Rung(234, 290_000), Rung(360, 490_000)]


def seen(first: int | None, heights: list[list[int]], positions: list[tuple[int, float]]) -> dict[str, object]:
    samples = [[at, position, 10.0, 4, 0] for at, position in positions]
    return {"first": first, "heights": heights, "samples": samples}


def played(start: int, end: int, position: float = 0.0) -> list[tuple[int, float]]:
    """Samples of a film that moves, every 100 ms."""
    return [(at, position + (at - start) / 1000) for at in range(start, end + 1, 100)]


def stood(start: int, end: int, position: float) -> list[tuple[int, float]]:
    return [(at, position) for at in range(start, end + 1, 100)]


def test_startup_counts_from_the_click_and_a_film_that_never_started_has_none() -> None:
    assert figures(seen(1250, [[1250, 234]], played(1250, 5000)), 9, 5.0, None, 720).startup_seconds == 1.25
    never = figures(seen(None, [], []), 9, 5.0, None, 720)
    assert (never.startup_seconds, never.rebuffer_ratio, never.quality) == (None, 1.0, 0.0)


def test_standing_still_counts_after_the_first_frame_only() -> None:
    positions = stood(0, 900, 0.0) + played(1000, 4000) + stood(4100, 5000, 3.0)
    one = figures(seen(1000, [[1000, 720]], positions), 0, 5.0, None, 720)
    assert 0.23 < one.rebuffer_ratio < 0.27


def test_quality_is_weighted_by_time() -> None:
    one = figures(seen(0, [[0, 200], [6000, 600]], played(0, 8000)), 0, 8.0, None, 720)
    assert 295 <= one.quality <= 305
    assert (one.switches, one.first_height) == (1, 200)


def test_recovery_ends_with_the_last_low_picture_after_the_dip() -> None:
    def recovery(heights: list[list[int]]) -> float | None:
        return figures(seen(0, heights, played(0, 60_000)), 0, 60.0, 20.0, 720).recovery_seconds

    assert recovery([[0, 720]]) == 0.0
    assert recovery([[0, 720], [10_000, 234], [31_500, 720]]) == 11.5
    assert recovery([[0, 720], [25_000, 234], [29_000, 720], [40_000, 360], [45_000, 720]]) == 25.0
    assert recovery([[0, 720], [10_000, 234]]) == 40.0
    assert figures(seen(0, [[0, 720]], played(0, 60_000)), 0, 60.0, None, 720).recovery_seconds is None


def test_the_right_rung_leaves_a_fifth_of_the_line() -> None:
    assert [right_height(RUNGS, mbit * 1e6) for mbit in (0.1, 0.5, 0.62, 1.5, 1.6, 40)] == [
        234,
        234,
        360,
        360,
        720,
        720,
    ]


@given(second=st.floats(0, 1000), pick=st.sampled_from(PROFILES))
def test_every_moment_of_a_profile_has_a_bandwidth_that_ends_later(second: float, pick: object) -> None:
    steps = next(profile.steps for profile in PROFILES if profile is pick)
    rate, until = bandwidth_at(steps, second)
    assert rate in {step.bits_per_second for step in steps}
    assert second < until <= second + max(step.seconds for step in steps) + 1e-6


async def test_the_line_is_not_faster_than_it_says_and_counts_what_arrived() -> None:
    body = bytes(50_000)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def fetch(through: int, port: int) -> bytes:
        """Over SOCKS5, as Chromium does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", through)
        writer.write(b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
        assert (await reader.readexactly(12))[3] == 0, "the line refused the connection"
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answered = await reader.read()
        writer.close()
        return answered.partition(b"\r\n\r\n")[2]

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, paced_line() as line:
        assert await fetch(line.port, port) == body, "the unlimited line changed what it carried"
        line.begin([Step(60, 400_000)], rtt_seconds=0.05)
        begun = time.monotonic()
        answers = await asyncio.gather(*(fetch(line.port, port) for _ in range(2)))
        took = time.monotonic() - begun
        assert answers == [body, body]
        # Two connections share 0.4 Mbit/s: 100 kB need 2 s at least.
        assert took >= 1.9, f"100 kB arrived in {took:.2f} s over 0.4 Mbit/s"
        assert line.received >= 2 * len(body)
