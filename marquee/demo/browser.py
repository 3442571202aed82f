"""Uses the web client as a viewer does, in headless Chromium: log in, search, play, reload, resume.

Playwright drives an installed Chromium and downloads none. Without a Chromium the check is skipped, and the report says how to
install one. The check finds elements by their roles and labels, and reads the state of the page's video element.
"""

import base64
import hashlib
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeout

from marquee.demo.report import CheckFailed, CheckSkipped, expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ACTION_MS = 20_000
RESUME_TOLERANCE_SECONDS = 1.0
_SEARCH_PAGE = re.compile(r"/search\?")
_TITLE_PAGE = re.compile(r"/title/")
_PICTURES_IN_SIGHT = """() => [...document.images].every(image =>
  image.complete && getComputedStyle(image).opacity === '1' || image.getBoundingClientRect().top > window.innerHeight
  || image.getBoundingClientRect().left > window.innerWidth)"""
_VIDEO = """() => {
  const video = document.querySelector('video');
  if (!video) return null;
  const quality = video.getVideoPlaybackQuality();
  return {time: video.currentTime, duration: video.duration, paused: video.paused,
          frames: quality.totalVideoFrames, error: video.error ? video.error.message : null};
}"""


def find_browser() -> str:
    """Path of an installed Chromium or Chrome. Raises `CheckSkipped` if there is none."""
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    raise CheckSkipped("no Chromium on this machine: install the package chromium")


@asynccontextmanager
async def open_browser(*, certificate: str = "") -> AsyncIterator[Browser]:
    """Start a headless Chromium with a new profile. Raises `CheckSkipped` if none is installed.

    `certificate`: PEM file whose first certificate the browser accepts, whoever issued it. No other one is.
    """
    browser_path = find_browser()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path,
            args=[
                # Chromium cannot sandbox itself as root. It opens only pages of this platform.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--autoplay-policy=no-user-gesture-required",
                *([f"--ignore-certificate-errors-spki-list={_key_digest(certificate)}"] if certificate else []),
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()


def _key_digest(certificate: str) -> str:
    """What identifies a certificate's public key for Chromium: the SHA-256 of its SubjectPublicKeyInfo, in base64."""
    # Imported here: only a platform with TLS needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    [leaf, *_] = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
    key = leaf.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def errors_of(page: Page) -> list[str]:
    """A list to which this page's errors are appended: exceptions, and violations of the Content-Security-Policy."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    return errors


@asynccontextmanager
async def open_page(
    *, width: int = 1280, height: int = 800, certificate: str = ""
) -> AsyncIterator[tuple[Page, list[str]]]:
    """Open a page in a new browser; yields the page and the list of its errors (`errors_of`)."""
    async with open_browser(certificate=certificate) as browser:
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(ACTION_MS)
        yield page, errors_of(page)


async def log_in(page: Page, url: str, email: str, password: str) -> None:
    """Log in on the web client's first page and wait for the home page."""
    await page.goto(url)
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").first.fill(password)
    # A busy machine answers "Too many people are logging in": then the button is pressed again, as a viewer would.
    deadline = time.monotonic() + 3 * ACTION_MS / 1000
    inside = page.get_by_role("searchbox")
    while True:
        await page.get_by_role("button", name=re.compile("^log in$", re.I)).click()
        await inside.or_(page.get_by_role("alert")).first.wait_for()
        if await inside.count() or time.monotonic() > deadline:
            break
    await inside.wait_for()


async def search_and_open(page: Page, query: str, title: str) -> None:
    """Search and open the page of the title found. Raises `CheckFailed` if a click does not open it."""
    await page.get_by_role("searchbox").fill(query)
    # Wait for the search page, which opens shortly after the last letter: the home page may show the title too.
    await page.wait_for_url(_SEARCH_PAGE)
    found = page.get_by_role("link", name=re.compile(re.escape(title), re.I)).first
    deadline = time.monotonic() + ACTION_MS / 1000
    while True:
        # The list is redrawn while results arrive, so a click may hit a link that is being replaced.
        await found.click()
        try:
            await page.wait_for_url(_TITLE_PAGE, timeout=3000)
            break
        except PlaywrightTimeout as error:
            if time.monotonic() > deadline:
                raise CheckFailed(f"clicking on {title} in the search results does not open its page") from error
    await page.get_by_role("heading", name=title).first.wait_for()


async def play(page: Page) -> None:
    """Click on play or resume and wait for the video element."""
    await page.get_by_role("link", name=_PLAY).or_(page.get_by_role("button", name=_PLAY)).first.click()
    await page.wait_for_selector("video", state="attached")


_PLAY = re.compile("^(play|resume)", re.I)


async def wait_until_playing(page: Page, *, beyond_seconds: float) -> dict[str, float]:
    """Wait until playback passes a time and frames are decoded. Returns the video's state. Raises `CheckFailed`."""
    try:
        await page.wait_for_function(
            f"() => {{ const v = document.querySelector('video');"
            f" return v && (v.error || (v.currentTime > {beyond_seconds}"
            f" && v.getVideoPlaybackQuality().totalVideoFrames > 0)); }}",
            timeout=40_000,
        )
    except Exception as error:
        state = await page.evaluate(_VIDEO)
        raise CheckFailed(f"the player did not get past {beyond_seconds:.1f} s: {state}") from error
    state = await page.evaluate(_VIDEO)
    expect(state and not state["error"], f"the player reports an error: {state}")
    return dict(state)


async def watch_and_resume(
    url: str,
    email: str,
    password: str,
    *,
    query: str,
    title: str,
    screenshots: Path | None = None,
    certificate: str = "",
) -> str:
    """Log in, search, play, seek, pause, reload, resume. Returns a sentence for the report.

    `screenshots`: folder for pictures of the pages. `certificate`: see `open_browser`. Raises `CheckFailed` or `CheckSkipped`.
    """
    async with open_page(certificate=certificate) as (page, errors):
        await log_in(page, url, email, password)
        await _picture(page, screenshots, "home")
        await search_and_open(page, query, title)
        await _picture(page, screenshots, "title")
        await play(page)
        first = await wait_until_playing(page, beyond_seconds=2.0)
        # Far from the start and not on a segment boundary: a resume from the start then fails the check.
        target = round(first["duration"] * 0.4) + 0.3
        await page.evaluate(f"() => {{ document.querySelector('video').currentTime = {target}; }}")
        await wait_until_playing(page, beyond_seconds=target + 1.0)
        async with page.expect_response(lambda answer: "/stream/progress" in answer.url) as posted:
            await page.evaluate("() => document.querySelector('video').pause()")
        answer = await posted.value
        expect(answer.status == 204, f"pausing posted progress and got {answer.status} instead of 204")
        left = await page.evaluate(_VIDEO)
        await _picture(page, screenshots, "player")
        await page.reload()
        await page.wait_for_function(
            "() => { const v = document.querySelector('video'); return v && v.readyState >= 2 && v.currentTime > 1; }",
            timeout=40_000,
        )
        resumed = await page.evaluate(_VIDEO)
        apart = resumed["time"] - left["time"]
        # Playback may have started before the position is read, so up to two seconds later counts as equal.
        expect(
            -RESUME_TOLERANCE_SECONDS <= apart <= RESUME_TOLERANCE_SECONDS + 2,
            f"left at {left['time']:.2f} s but resumed at {resumed['time']:.2f} s",
        )
        if screenshots is not None:
            await page.goto(f"{url}/studio")
            await page.get_by_test_id("studio-title").first.wait_for()
            await _picture(page, screenshots, "studio")
        expect(not errors, f"the page reported {errors[:3]}")
        return (
            f"{first['frames']:.0f} frames decoded at first look; left at {left['time']:.2f} s, "
            f"back at {resumed['time']:.2f} s"
        )


async def _picture(page: Page, folder: Path | None, name: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        await page.wait_for_function(_PICTURES_IN_SIGHT)
        await page.screenshot(path=str(folder / f"{name}.png"))
