"""Devices, browsers, systems and languages: by user agents that are in use, client hints, and what is no browser."""

# ruff: noqa: E501 (a user agent is one line)

import time

import pytest

from apps.origins.agents import agent_of, agent_of_headers, language_of
from db.events.known import Agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT}"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
GALAXY = "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.212 Mobile Safari/537.36"

#: A user agent, and its device, browser and system.
KNOWN = [
    (f"{WINDOWS} Chrome/143.0.0.0 Safari/537.36", "desktop", "Chrome", "Windows"),
    (f"{WINDOWS} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0", "desktop", "Edge", "Windows"),
    (f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36 OPR/116.0.0.0", "desktop", "Opera", "Windows"),
    (f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36 Vivaldi/7.0.3495.29", "desktop", "Vivaldi", "Windows"),
    (f"{WINDOWS} Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36", "desktop", "Yandex Browser", "Windows"),
    (f"{WINDOWS} Whale/4.30.291.11 Chrome/132.0.0.0 Safari/537.36", "desktop", "Whale", "Windows"),
    (f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36 Ddg/131.0", "desktop", "DuckDuckGo", "Windows"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "desktop", "Firefox", "Windows"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "desktop", "Internet Explorer", "Windows"),
    ("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Touch; Tablet PC 2.0)", "desktop", "Internet Explorer", "Windows"),
    (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15", "desktop", "Safari", "macOS"),
    (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko)", "desktop", "WebView", "macOS"),
    (f"{MAC} {WEBKIT} Chrome/143.0.0.0 Safari/537.36", "desktop", "Chrome", "macOS"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0", "desktop", "Firefox", "macOS"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/143.0.0.0 Safari/537.36", "desktop", "Chrome", "Linux"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "desktop", "Firefox", "Linux"),
    ("Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "desktop", "Firefox", "Linux"),
    ("Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0", "desktop", "Firefox", "FreeBSD"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/143.0.0.0 Safari/537.36", "desktop", "Chrome", "ChromeOS"),
    (f"{ANDROID} Chrome/143.0.0.0 Mobile Safari/537.36", "mobile", "Chrome", "Android"),
    (f"{ANDROID} Chrome/143.0.0.0 Safari/537.36", "tablet", "Chrome", "Android"),
    (f"{ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "mobile", "Samsung Internet", "Android"),
    (f"{ANDROID} Chrome/131.0.0.0 Mobile Safari/537.36 EdgA/131.0.2903.87", "mobile", "Edge", "Android"),
    (f"{ANDROID} Chrome/131.0.0.0 Mobile Safari/537.36 OPR/86.0.4453.82390", "mobile", "Opera", "Android"),
    (f"{ANDROID} Chrome/131.0.0.0 Mobile DuckDuckGo/5 Safari/537.36", "mobile", "DuckDuckGo", "Android"),
    (f"{ANDROID} Version/4.0 Chrome/131.0.0.0 UCBrowser/13.4.0.1306 Mobile Safari/537.36", "mobile", "UC Browser", "Android"),
    (f"{ANDROID} Version/4.0 Chrome/131.0.0.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.34.0-gn", "mobile", "Mi Browser", "Android"),
    (f"{ANDROID} Version/4.0 Chrome/131.0.0.0 HuaweiBrowser/15.0.8.301 HMSCore/6.14.0.302 Mobile Safari/537.36", "mobile", "Huawei Browser", "Android"),
    ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "mobile", "Firefox", "Android"),
    ("Mozilla/5.0 (Android 14; Tablet; rv:145.0) Gecko/145.0 Firefox/145.0", "tablet", "Firefox", "Android"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X710) {WEBKIT} Chrome/130.0.0.0 Safari/537.36", "tablet", "Chrome", "Android"),
    (f"Mozilla/5.0 (Linux; Android 11; KFTRWI) {WEBKIT} Silk/131.4.1 like Chrome/131.0.6778.200 Safari/537.36", "tablet", "Amazon Silk", "Android"),
    (GALAXY, "mobile", "WebView", "Android"),
    (f"{GALAXY} Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; SM; OP573DL1; mt6833; de_DE)", "mobile", "Instagram", "Android"),
    (f"{GALAXY} [FB_IAB/FB4A;FBAV/537.0.0.46.102;IABMV/1;]", "mobile", "Facebook", "Android"),
    (f"{GALAXY} [Pinterest/Android]", "mobile", "Pinterest", "Android"),
    (f"{GALAXY} BytedanceWebview/d8a21c6 musical_ly_37", "mobile", "TikTok", "Android"),
    (f"{IPHONE} Version/18.6 Mobile/15E148 Safari/604.1", "mobile", "Safari", "iOS"),
    (f"{IPHONE} CriOS/143.0.7499.92 Mobile/15E148 Safari/604.1", "mobile", "Chrome", "iOS"),
    (f"{IPHONE} FxiOS/145.0 Mobile/15E148 Safari/605.1.15", "mobile", "Firefox", "iOS"),
    (f"{IPHONE} EdgiOS/131.0.2903.92 Version/18.0 Mobile/15E148 Safari/604.1", "mobile", "Edge", "iOS"),
    (f"{IPHONE} GSA/348.0.706735033 Mobile/15E148 Safari/604.1", "mobile", "Google", "iOS"),
    (f"{IPHONE} Mobile/15E148", "mobile", "WebView", "iOS"),
    (f"{IPHONE} Mobile/15E148 Instagram 361.0.0.35.82 (iPhone14,5; iOS 18_6_2; de_DE; de; scale=3.00; 1170x2532; 674117118)", "mobile", "Instagram", "iOS"),
    (f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/491.1.0.61.105;FBBV/680;FBDV/iPhone14,5]", "mobile", "Facebook", "iOS"),
    (f"{IPAD} Version/17.6 Mobile/15E148 Safari/604.1", "tablet", "Safari", "iOS"),
    (f"{IPAD} CriOS/143.0.7499.92 Mobile/15E148 Safari/604.1", "tablet", "Chrome", "iOS"),
    (f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) {WEBKIT} 94.0.4606.31/7.0 TV Safari/537.36", "tv", "Safari", "Tizen"),
    (f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/108.0.5359.211 Safari/537.36 WebAppManager", "tv", "Chrome", "webOS"),
    (f"Mozilla/5.0 (Linux; Android 9; AFTMM Build/NS6265; wv) {WEBKIT} Version/4.0 Chrome/99.0.4844.88 Mobile Safari/537.36", "tv", "WebView", "Android"),
    (f"Mozilla/5.0 (Linux; Android 11; Beko Android TV) {WEBKIT} Chrome/131.0.0.0 Mobile Safari/537.36", "tv", "Chrome", "Android"),
    ("Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Safari/605.1.15", "console", "Safari", None),
    ("Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.3.27.1 NintendoBrowser/5.1.0.27257", "console", None, None),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edge/44.18363.8131", "console", "Edge", "Windows"),
    ("Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", "mobile", "Firefox", "KaiOS"),
    (f"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) {WEBKIT} Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15254", "mobile", "Edge", "Windows Phone"),
    ("Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16", "mobile", "Opera", "Android"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/143.0.0.0 Safari/537.36", "bot", "HeadlessChrome", "Linux"),
]  # fmt: skip
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
]


@pytest.mark.parametrize(("user_agent", "device", "browser", "os"), KNOWN, ids=lambda value: str(value)[-40:])
def test_a_user_agent_says_device_browser_and_system(
    user_agent: str, device: str, browser: str | None, os: str | None
) -> None:
    assert agent_of(user_agent) == Agent(device=device, browser=browser, os=os)


@pytest.mark.parametrize("user_agent", BOTS)
def test_a_crawler_is_a_bot(user_agent: str) -> None:
    agent = agent_of(user_agent)
    assert agent
    assert agent.device == "bot"


def headers(
    user_agent: str, brands: str = "", mobile: str = "", platform: str = "", languages: str = ""
) -> Agent | None:
    return agent_of_headers(*(one.encode() for one in (user_agent, brands, mobile, platform, languages)))


CHROME_ON_LINUX = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/143.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "hints", "expected"),
    [
        (CHROME_ON_LINUX, ('"Brave";v="143", "Chromium";v="143"', "?0", '"Linux"'), ("desktop", "Brave", "Linux")),
        (CHROME_ON_LINUX, ('"Chromium";v="143", "Google Chrome";v="143"', "?0", '"Windows"'), ("desktop", "Chrome", "Windows")),
        # Pages for desktops, asked for by a phone and a tablet.
        (CHROME_ON_LINUX, ("", "?1", '"Android"'), ("mobile", "Chrome", "Android")),
        (CHROME_ON_LINUX, ("", "?0", '"Android"'), ("tablet", "Chrome", "Android")),
        (CHROME_ON_LINUX, ('"Not/A)Brand";v="8"', "?x", '"Amiga"'), ("desktop", "Chrome", "Linux")),
        (CHROME_ON_LINUX, ('"HeadlessChrome";v="143"', "?0", '"Linux"'), ("bot", "Chrome", "Linux")),
    ],
)  # fmt: skip
def test_client_hints_know_better(user_agent: str, hints: tuple[str, str, str], expected: tuple[str, str, str]) -> None:
    device, browser, os = expected
    assert headers(user_agent, *hints) == Agent(device=device, browser=browser, os=os)


@pytest.mark.parametrize(
    "user_agent", ["", "python-httpx/0.28.1", "okhttp/4.12.0", "analytics-node/2.1.3", "curl/8.5.0", "Ruby", "-"]
)
def test_a_program_has_no_agent_whatever_its_languages(user_agent: str) -> None:
    assert headers(user_agent, languages="de") is None


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"), ("en-US", "en"), ("pt_BR", "pt"), ("zh-Hans-CN", "zh"), (" fr ;q=1", "fr"),
        ("FIL", "fil"), ("*", None), ("", None), ("english", None), ("d", None), ("1e", None), ("\xe4\xf6-DE", None),
    ],
)  # fmt: skip
def test_the_first_language_counts(languages: str, expected: str | None) -> None:
    assert language_of(languages) == expected


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (" + "; x" * 20_000, "Mozilla/" + "(" * 50_000, "Mozilla/5.0 " + "Android " * 10_000, "\0" * 60_000,
        "Mozilla/5.0 \0\xff" + "9" * 60_000,
    ],
    ids=["parts", "brackets", "androids", "zeros", "numbers"],
)  # fmt: skip
def test_hostile_user_agents_cost_little_and_fit(user_agent: str) -> None:
    agent_of("")
    begin = time.process_time()
    for number in range(20):  # each a new one
        agent = agent_of(f"{user_agent[:200]}{number}{user_agent[200:]}", language=user_agent)
        for member in (agent.device, agent.browser, agent.os) if agent else ():
            assert member is None or ("\0" not in member and len(member.encode()) <= 255)
    assert time.process_time() - begin < 0.5
