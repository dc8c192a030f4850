"""The browser scripts of other vendors, each in its newest version as of November 2026, and what it does by itself."""

import msgspec

from tests.browser.published import Download, npm


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """A script."""

    download: Download
    #: What it has in place of these texts where it is installed.
    filled_in: dict[str, str] = {}
    #: Put into each page. SITE, EVENTS and SCRIPTS stand for the key, and the origins of events and scripts.
    head: str
    #: A function of an event's name and properties.
    track: str
    #: A function of a user's id, where the script knows users.
    identify: str = ""
    #: What a page says when a user logs out.
    reset: str = ""
    #: What a page says once its path has changed, where the script does not see that.
    viewed: str = ""
    #: Whether it sees that a visitor went back.
    sees_back: bool = True
    #: Whether it sends again what did not come through. If not, that is lost: it gives up, and nobody can know of it.
    tries_again: bool = True
    #: Whether the visit waits for what is under way before its page is left: what a script is about to send then may be
    #: cut off, or it sends it from a later page, but only 10 seconds later.
    stays: bool = False
    #: An event that it sends by itself whenever a page is left.
    leaving: str = ""


VENDORS = {
    "posthog": Vendor(
        download=npm(
            "posthog-js",
            "1.449.2",
            "vji+h92IHaLlFSEnRH1hwe8uLWGOdDUImmPXexj/+V7Xm7HTxIQisYE/Kom7Aaw4DRpzfdhQxiyAN1YVYR4G8Q==",
            "dist",
        ),
        head="""
            <script>
              window.posthog = Object.assign([], {_i: [], __SV: 1})
              posthog._i.push(["SITE", {
                api_host: "EVENTS",
                defaults: "2026-08-30",
                request_queue_config: {flush_interval_ms: 250},
              }, "posthog"])
            </script>
            <script src="SCRIPTS/array.js"></script>
        """,
        track="(name, properties) => posthog.capture(name, properties)",
        identify="(user) => posthog.identify(user)",
        reset="posthog.reset()",
        stays=True,
        leaving="$pageleave",
    ),
    "segment": Vendor(
        download=npm(
            "@segment/analytics-next",
            "1.84.3",
            "5l7cPBzScxhfJ0zdcKQI4daDvMIWWUk7hClT1xGRelnHUltIEoQ9w8+ZpFPoWJMpX8D7IA1nVAfJbpiKi3XaKw==",
            "dist/umd",
        ),
        head="""
            <script src="SCRIPTS/index.js"></script>
            <script>
              // Without keepalive, what is under way when the page is left is cut off, and the script does not know.
              window.analytics = AnalyticsNext.AnalyticsBrowser.load(
                {writeKey: "SITE", cdnURL: "EVENTS"},
                {integrations: {"Segment.io": {deliveryStrategy: {config: {keepalive: true}}}}},
              )
              analytics.page()
            </script>
        """,
        track="(name, properties) => void analytics.track(name, properties)",
        identify="(user) => void analytics.identify(user)",
        reset="void analytics.reset()",
        viewed="void analytics.page()",
        stays=True,
    ),
    "rudderstack": Vendor(
        download=npm(
            "@rudderstack/analytics-js",
            "3.34.1",
            "cci768CvaM64Wr/MDDtLF8K49aPy7TwwfwL9G1a2SSfgwL4XfVfGNVT//Mv8yph0a14pPc/Nf5HDWhVjAD5vQg==",
            "dist/npm/modern/bundled/umd",
        ),
        head="""
            <script src="SCRIPTS/index.js"></script>
            <script>
              window.analytics = new rudderanalytics.RudderAnalytics()
              analytics.load("SITE", "EVENTS", {configUrl: "EVENTS"})
              analytics.page()
            </script>
        """,
        track="(name, properties) => analytics.track(name, properties)",
        identify="(user) => analytics.identify(user)",
        reset="analytics.reset()",
        viewed="analytics.page()",
        stays=True,
    ),
    "plausible": Vendor(
        download=npm(
            "@plausible-analytics/tracker",
            "0.4.6",
            "nbu6xGgSP6jeYuoVklZBzucUnIpo75tVu3Kr+R0EDycVKaMC/jF5Q/YCaM/8gR4fPZ1IDcXt6FdBJFZ1uZwEPA==",
        ),
        head="""
            <script type="module">
              import { init } from "SCRIPTS/plausible.js"
              init({domain: "SITE", endpoint: "EVENTS/api/event"})
            </script>
        """,
        track="(name, props) => plausible(name, {props})",
        tries_again=False,
    ),
    "umami": Vendor(
        download=Download(
            url="https://raw.githubusercontent.com/umami-software/umami/c0ea3aefbee7a3429ee2f824b06dc4a9dbe0b7e1"
            "/src/tracker/index.js",
            integrity="8jSe0lcXhfRxmXesCLrWxCD9ZnRaPBK2eAFiCTuQTG5eIQstz601C2msOsTmie9Ay4H+AgCclUmM2xHXOhCPbQ==",
        ),
        # What Umami's build puts in there.
        filled_in={"__COLLECT_API_HOST__": "", "__COLLECT_API_ENDPOINT__": "/api/send"},
        head='<script defer src="SCRIPTS/index.js" data-website-id="SITE" data-host-url="EVENTS"></script>',
        track="(name, properties) => void umami.track(name, properties)",
        identify="(user) => void umami.identify(user)",
        sees_back=False,
        tries_again=False,
    ),
}
