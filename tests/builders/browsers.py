"""User agents of people's browsers and of the browsers inside apps: devices of android_devices.txt, in the shapes that
browsers and apps give them, and all others written out."""

# ruff: noqa: E501 (a user agent is one line)

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
DEVICES = Path(__file__).with_name("android_devices.txt")
CHROMES = ["143.0.7499.34", "142.0.7444.212", "138.0.7204.179", "131.0.6778.200", "120.0.6099.230", "99.0.4844.88"]

#: What Android's browsers put behind what is theirs all: {0} is a version of Chrome.
BROWSERS = [
    "Chrome/{0} Mobile Safari/537.36",
    "SamsungBrowser/28.0 Chrome/{0} Mobile Safari/537.36",
    "Version/4.0 Chrome/{0} Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.34.0-gn",
    "Chrome/{0} Mobile Safari/537.36 OPR/86.0.4453.82390",
    "Version/4.0 Chrome/{0} Mobile Safari/537.36 OPR/83.0.2254.73255",
    "Version/4.0 Chrome/{0} UCBrowser/13.4.0.1306 Mobile Safari/537.36",
    "Chrome/{0} YaBrowser/24.12.4.75.00 SA/3 Mobile Safari/537.36",
    "Version/4.0 Chrome/{0} HuaweiBrowser/15.0.8.301 HMSCore/6.14.0.302 Mobile Safari/537.36",
    "Version/4.0 Chrome/{0} VivoBrowser/20.6.2.0 Mobile Safari/537.36",
    "Version/4.0 Chrome/{0} Mobile Safari/537.36 HeyTapBrowser/45.10.3.1",
    "Version/4.0 Chrome/{0} DuckDuckGo/5 Mobile Safari/537.36",
    "Chrome/{0} Mobile DuckDuckGo/5 Safari/537.36",
    "Chrome/{0} Mobile Safari/537.36 EdgA/131.0.2903.87",
    "Chrome/{0} Mobile Safari/537.36 Vivaldi/7.0.3505.59",
    "Version/4.0 Chrome/{0} Mobile Safari/537.36 SogouMSE,SogouMobileBrowser/12.16.6",
    "Version/4.0 Chrome/{0} MQQBrowser/15.6 Mobile Safari/537.36",
    "Chrome/{0} Mobile Safari/537.36 CocCoc/131.0.222",
]
#: What apps put behind their web view's; {device} is the model, {0} a version of Chrome.
APPS = [
    "Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; {device}; OP573DL1; mt6833; de_DE; 822918295; IABMV/1)",
    "[FB_IAB/FB4A;FBAV/537.0.0.46.102;IABMV/1;]",
    "[FBAN/EMA;FBLC/de_DE;FBAV/445.0.0.10.112;FBCX/modulariab;]",
    "[FB_IAB/Orca-Android;FBAV/490.0.0.40.108;]",
    "MetaIAB Facebook",
    "trill_370204 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly app_version/37.2.4 ByteLocale/de ByteFullLocale/de Region/DE AppId/1233 Spark/1.6.6.2 AppVersion/37.2.4 BytedanceWebview/d8a21c6",
    "BytedanceWebview/d8a21c6",
    "Snapchat/13.20.0.41 ({device}; Android 14#12345678#34; gzip; )",
    "[Pinterest/Android]",
    "Pinterest for Android/12.45.0",
    "[LinkedInApp]/4.1.1020",
    "WhatsApp/2.25.31.76",
    "Viber/25.1.0.0",
    "Line/14.21.1/IAB",
    "MMWEBID/6789 MicroMessenger/8.0.54.2760(0x28003658) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64",
    "KAKAOTALK/25.9.1 (INAPP)",
    "NAVER(inapp; search; 2000; 12.14.50)",
    "GSA/15.47.39.29.arm64",
    "Telegram-Android/11.5.3 (Samsung {device}; Android 14; SDK 34; HIGH)",
    "TwitterAndroid",
    "Reddit/Version 2024.49.0/Build 1876532/Android 14",
    "Zalo android/12040540 ZaloTheme/light ZaloLanguage/vi",
    "baiduboxapp/0_0.4_diordna_0_0/LUN_61_0.0_LUN/7300001a/EEB27C92151A0822DA4BE5D066926039%7CA95B2008/1",
    "AliApp(TB/10.42.10) UCBS/2.11.1.1 TTID/600000@taobao_android_10.42.10 WindVane/8.5.0",
    "Flipboard/4.3.9/5359,4.3.9.5359",
    "Klarna/24.50.200",
    "Shop/2.190.0",
    "Blackboard/unspecified",
    "OPR/35.0.2254.127759",
    "Discord",
    "DuckDuckGo/5",
    "ThreadsAndroid Barcelona 360.0.0.42.109",
]
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {0} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {1}"
IPHONES = ["18_6_2", "17_5_1", "16_7_10", "15_8_3", "14_7_1", "12_5_7"]
IOS_APPS = [
    "Version/18.6 Mobile/15E148 Safari/604.1",
    "CriOS/143.0.7499.92 Mobile/15E148 Safari/604.1",
    "FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
    "EdgiOS/131.0.2903.92 Version/18.0 Mobile/15E148 Safari/604.1",
    "OPT/5.1.1 Mobile/15E148",
    "Version/18.0 YaBrowser/24.12.3.441.10 SA/3 Mobile/15E148 Safari/604.1",
    "Version/18.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
    "FxiOS/113.1 Mobile/15E148 Safari/605.1.15 Freespoke/2.0.0",
    "GSA/348.0.706735033 Mobile/15E148 Safari/604.1",
    "Mobile/15E148 Instagram 361.0.0.35.82 (iPhone14,5; iOS 18_1_1; de_DE; de; scale=3.00; 1170x2532; 674117118; IABMV/1)",
    "Mobile/15E148 [FBAN/FBIOS;FBAV/491.1.0.61.105;FBBV/670428321;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/18.1;FBSS/3;FBID/phone;FBLC/de_DE;FBOP/80]",
    "Mobile/15E148 musical_ly_37.3.0 BytedanceWebview/d8a21c6 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/de",
    "Mobile/15E148 Snapchat/13.20.0.41 (like Safari/8618.3.11.10.7, panda)",
    "Mobile/15E148 [Pinterest/iOS]",
    "Mobile/15E148 [LinkedInApp]/9.30.2034",
    "Mobile/15E148 WhatsApp/2.25.31.76",
    "Mobile/15E148 Viber/25.1.0.0",
    "Mobile/15E148 Safari Line/14.21.0",
    "Mobile/15E148 MicroMessenger/8.0.54(0x1800362f) NetType/WIFI Language/zh_CN",
    "Mobile/15E148 KAKAOTALK 25.9.1 (INAPP)",
    "Mobile/15E148 NAVER(inapp; search; 2000; 12.14.50; 14PRO)",
    "Mobile/15E148 Twitter for iPhone/10.72",
    "Mobile/15E148 Safari/605.1 Blackboard/6.9",
    "Mobile/15E148",
]
OTHERS = f"""
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/143.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/131.0.0.0 Safari/537.36 OPR/116.0.0.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0 (Edition Yx GX 03)
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/131.0.0.0 Safari/537.36 Vivaldi/7.0.3495.29
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/130.0.0.0 YaBrowser/24.12.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; WOW64) {KHTML} Chrome/116.0.0.0 Safari/537.36 SE 2.X MetaSr 1.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} coc_coc_browser/131.0.222 Chrome/125.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 6.1) {KHTML} coccocbrowser/47.0 Chrome/41.0.2272.119coccoc Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Whale/4.30.291.11 Chrome/132.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/131.0.0.0 Safari/537.36 QQBrowser/19.1.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/131.0.0.0 Safari/537.36 Avast/131.0.0.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/131.0.0.0 Safari/537.36 Ddg/131.0
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0
Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko
Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)
Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; SLCC2; .NET CLR 2.0.50727; .NET CLR 3.5.30729)
Mozilla/5.0 (Windows NT 6.2) {KHTML} WhatsAppElectron/1.0.3 Chrome/108.0.5359.215 Electron/22.3.27 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Notion/2.0.8 Chrome/76.0.3809.146 Electron/6.1.5 Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Code/1.61.2 Chrome/91.0.4472.164 Electron/13.5.1 Safari/537.36
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KHTML} Chrome/143.0.0.0 Safari/537.36
Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KHTML} Slack/4.41.105 Chrome/130.0.6723.137 Electron/33.2.1 Safari/537.36
Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10_5_6; en-us) AppleWebKit/528.16 (KHTML, like Gecko) Fluid/0.9.6 Safari/528.16
Mozilla/5.0 (X11; Linux x86_64) {KHTML} Chrome/143.0.0.0 Safari/537.36
Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0
Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/143.0.0.0 Safari/537.36
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15 Epiphany/605.1.15
Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Falkon/23.08.4 Chrome/87.0.4280.144 Safari/537.36
Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0
Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/112.0 Firefox/112.0 Freespoke/2.0.0
Mozilla/5.0 (Linux; Android 10; K) {KHTML} Chrome/143.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 10; K) {KHTML} Chrome/143.0.0.0 Safari/537.36
Mozilla/5.0 (Linux; Android 10; K) {KHTML} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 8.1.0; Fever_Plus_J) {KHTML} Chrome/95.0.4638.50 Safari/537.36
Mozilla/5.0 (Linux; Android 8.0.0; Expanse) {KHTML} Chrome/86.0.4240.99 Mobile Safari/537.36
Mozilla/5.0 (iPad; CPU OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1
Mozilla/5.0 (iPad; U; CPU iPhone OS 7_0 like Mac OS X; de-DE) WIRED/3.2.3.11.87970
Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1
Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) {KHTML} 94.0.4606.31/7.0 TV Safari/537.36
Mozilla/5.0 (Linux; Tizen 2.3; SAMSUNG SM-R760) AppleWebKit/537.3 (KHTML, like Gecko) SamsungBrowser/1.0 Mobile Safari/537.3
Mozilla/5.0 (Web0S; Linux/SmartTV) {KHTML} Chrome/108.0.5359.211 Safari/537.36 WebAppManager
Mozilla/5.0 (Linux; Android 9; BRAVIA 4K VH2 Build/PTT1.190515.001.S104; wv) {KHTML} Version/4.0 Chrome/131.0.6778.200 Safari/537.36
Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7285; wv) {KHTML} Version/4.0 Chrome/120.0.6099.230 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 11; KFTRWI) {KHTML} Silk/131.4.1 like Chrome/131.0.6778.200 Safari/537.36
Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; KFTT Build/IML74K) AppleWebKit/537.36 (KHTML, like Gecko) Silk/3.68 like Chrome/39.0.2171.93 Safari/537.36
Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Safari/605.1.15
Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)
Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 (KHTML, like Gecko) NF/6.0.3.27.1 NintendoBrowser/5.1.0.27257
Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {KHTML} Chrome/131.0.0.0 Safari/537.36 Edge/44.18363.8131
Mozilla/5.0 (Phone; OpenHarmony 5.0) {KHTML} Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.1.4.301
Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00; HMSCore 6.14.0.302) {KHTML} Chrome/114.0.5735.196 HuaweiBrowser/15.0.8.301 Mobile Safari/537.36
Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5
Mozilla/5.0 (BB10; Touch) AppleWebKit/537.35+ (KHTML, like Gecko) Version/10.3.3.3216 Mobile Safari/537.35+
Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) {KHTML} Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15254
Mozilla/5.0 (compatible; MSIE 9.0; Windows Phone OS 7.5; Trident/5.0; IEMobile/9.0; NOKIA; Lumia 800)
Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) Version/5.0 Safari/533.2+ Kindle/3.0+
Opera/9.80 (Android; Opera Mini/36.2.2254/191.303; U; de) Presto/2.12.423 Version/12.16
Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54
Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18
""".strip().splitlines()


def user_agents() -> Iterator[str]:
    """All of them."""
    browsers, apps, chromes = cycle(BROWSERS), cycle(APPS), cycle(CHROMES)
    for line in DEVICES.read_text().splitlines():
        android, device, build = line.split("\t")
        begin = f"Mozilla/5.0 (Linux; Android {android}; {device}"
        for rest in (next(browsers), next(browsers)):
            yield f"{begin}) {KHTML} {rest.format(next(chromes))}"
        yield f"{begin} Build/{build}) {KHTML} {next(browsers).format(next(chromes))}"
        view = f"{begin} Build/{build}; wv) {KHTML} Version/4.0 Chrome/{next(chromes)} Mobile Safari/537.36"
        yield view
        yield f"{view} {next(apps).format(device=device)}"
    for version in IPHONES:
        for app in IOS_APPS:
            yield IPHONE.format(version, app)
    yield from OTHERS
