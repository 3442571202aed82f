"""The class of a device, as quality of experience is cut by it, from its User-Agent.

A robot is nobody's viewing. A client may say anything, so the class decides only what is counted where, never what is allowed.
The words are those of the browsers' and televisions' own documents; the first group that has one decides.
"""

import re
from functools import lru_cache
from typing import Final, Literal

DeviceClass = Literal["phone", "tablet", "desktop", "tv", "robot", "other"]
MAX_CHARACTERS: Final = 500

# `bot` as the end of a word (Googlebot, AdsBot), not inside one: Cubot is a make of phones.
_ROBOT: Final = re.compile(
    r"(?<!cu)bot\b|bot/|crawl|spider|slurp|headless|phantomjs|puppeteer|playwright|selenium|webdriver|lighthouse|pingdom|uptime"
    r"|facebookexternalhit|mediapartners|bingpreview|google-inspectiontool|scrapy|wget|curl/|httpie|python-|python/|aiohttp"
    r"|httpx|java/|go-http-client|libwww|node-fetch|undici|axios|postman|k6/|vegeta|apachebench|locust",
    re.IGNORECASE,
)
_TV: Final = re.compile(
    r"smart-?tv|tizen.*tv|web0s|webos.*tv|netcast|hbbtv|apple ?tv|tvos|android tv|google ?tv|bravia|crkey|chromecast|roku"
    r"|\baft[a-z0-9]+[ );]|firetv|viera|philipstv|nettv|vidaa|playstation|xbox|nintendo|shield android|\btv\b",
    re.IGNORECASE,
)
_TABLET: Final = re.compile(r"ipad|tablet|kindle|silk/|playbook|\bsm-[tx]\d|nexus (7|9|10)\b|touch; arm", re.IGNORECASE)
_PHONE: Final = re.compile(r"iphone|ipod|windows phone|mobile|blackberry|opera mini|kaios", re.IGNORECASE)
_ANDROID: Final = re.compile("android", re.IGNORECASE)
_DESKTOP: Final = re.compile(r"windows nt|macintosh|mac os x|x11|linux (x86_64|i686|aarch64)|cros ", re.IGNORECASE)


@lru_cache(maxsize=4096)
def device_class(user_agent: str | None) -> DeviceClass:
    """The class of the device that sent this User-Agent. `other` without one, and for what is not known."""
    agent = (user_agent or "")[:MAX_CHARACTERS]
    if _ROBOT.search(agent):
        return "robot"
    if _TV.search(agent):
        return "tv"
    if _TABLET.search(agent):
        return "tablet"
    if _PHONE.search(agent):
        return "phone"
    if _ANDROID.search(agent):
        return "tablet"  # Android's own rule: a phone says Mobile, a tablet does not.
    if _DESKTOP.search(agent):
        return "desktop"
    return "other"
