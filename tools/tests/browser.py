"""A real headless Chromium for tests. Needs Debian's chromium and chromium-driver (`make deps` installs them)."""

import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


class Browser:
    """A window of its own profile: nothing is remembered from one to the next.

    `scale`: pixels of a picture for each one of the page. `has_webgl`: it draws in three dimensions, by the processor. `is_offline`: it
    reaches no network, this machine's own included.
    """

    def __init__(self, width=1440, height=1000, dark=False, scale=1, has_webgl=False, is_offline=False):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "chromium"
        # --no-sandbox: continuous integration runs as root, where Chromium's sandbox cannot be set up.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--disable-background-networking", "--force-color-profile=srgb", f"--window-size={width},{height}",
                         *(("--use-angle=swiftshader", "--enable-unsafe-swiftshader") if has_webgl else ("--disable-gpu",)),
                         *(("--host-resolver-rules=MAP * ~NOTFOUND",) if is_offline else ())):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or "chromedriver"))
        self.driver.set_script_timeout(60)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})
        self.prefer("dark" if dark else "light")
        if is_offline:
            self.driver.execute_cdp_cmd("Network.enable", {})
            self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
                "offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def prefer(self, scheme):
        """What the system says: light or dark."""
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def open(self, url):
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        """What stands in the first element of a selector; None when there is none."""
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def complaints(self):
        """What the console says that a person should not see: errors and refused contents."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


# Every visible text with its size and its contrast against what is behind it (WCAG 2: relative luminance).
CONTRASTS = """
const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
};
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const background = (node) => {
    const layers = [];
    for (let n = node; n; n = n.parentElement) {
        const colour = parse(getComputedStyle(n).backgroundColor);
        if (colour[3] > 0) layers.push(colour);
        if (colour[3] === 1) break;
    }
    return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]);
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const node = walker.currentNode.parentElement;
    if (!text || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (node.closest(".visually-hidden, .skip:not(:focus), script, noscript")) continue;
    const style = getComputedStyle(node);
    const behind = background(node);
    const colour = over(parse(style.color), behind);
    const [a, b] = [luminance(colour), luminance(behind)].sort((x, y) => y - x);
    found.push({ text: text.slice(0, 60), ratio: (a + 0.05) / (b + 0.05), where: node.closest("[id]")?.id ?? "" });
}
return found;
"""


def contrasts(browser):
    """Every visible text: its ratio of contrast, the text and the id around it."""
    return browser.run(CONTRASTS)
