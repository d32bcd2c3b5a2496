#!/usr/bin/env python3
"""Opens a report in headless Chromium through chromedriver and prints what it found as JSON.

usage: browse.py REPORT.html FOLDER   (screenshots go to FOLDER)
Needs the Debian packages chromium and chromium-driver; standard library only.
"""
import base64, json, pathlib, re, subprocess, sys, tempfile, urllib.request

CHECK = r"""
const drawn = [...document.querySelectorAll(".panel svg")].map((svg) => svg.getBoundingClientRect());
const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
return {
  width: innerWidth,
  scroll_width: document.documentElement.scrollWidth,
  panels: document.querySelectorAll(".panel").length,
  drawn: drawn.filter((box) => box.width > 100 && box.height > 100).length,
  curves: [...document.querySelectorAll(".panel svg")].filter((svg) => svg.querySelector("[id*=_plot_]")).length,
  smallest_text_px: Math.min(...[...document.querySelectorAll(".panel svg text")]
      .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a)),
  text_rgb: [...document.querySelectorAll(".panel svg text")]
      .map((text) => getComputedStyle(text).fill.match(/\d+/g).reduce((sum, part) => sum + +part, 0) / 3)
      .reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [255, 0]),
  cut_off: [...document.querySelectorAll(".panel svg text")].filter((text) =>
      text.getBoundingClientRect().right > text.ownerSVGElement.getBoundingClientRect().right + 1)
      .map((text) => text.textContent),
  dangling: [...document.querySelectorAll("use")]
      .filter((use) => !document.getElementById((use.getAttribute("href") || use.getAttribute("xlink:href")).slice(1)))
      .length,
  cut_off_left: [...document.querySelectorAll(".panel svg text")].filter((text) =>
      text.getBoundingClientRect().left < text.ownerSVGElement.getBoundingClientRect().left - 1)
      .map((text) => text.textContent),
  overflowing: [...document.querySelectorAll("p, h1, h2, figcaption, .headlines div")]
      .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
      .map((e) => e.textContent.slice(0, 40)),
  uncaptioned: [...document.querySelectorAll("figure")]
      .filter((figure) => figure.querySelector("figcaption").textContent.length < 40).length,
  repeated_ids: ids.length - new Set(ids).size,
  sections: document.querySelectorAll("section").length,
  missing: document.querySelectorAll(".missing").length,
  intruder: window.intruder === true,
  paper: getComputedStyle(document.body).backgroundColor,
  external: [...document.querySelectorAll("[src], link[href], a[href]")]
      .map((e) => e.getAttribute("src") || e.getAttribute("href")).filter((a) => !/^(data:|#)/.test(a)).length,
};
"""
SORT = r"""
const tables = [];
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = () => [...table.tBodies[0].rows];
  const value = (row, column) => row.cells[column].dataset.v === undefined
      ? row.cells[column].textContent : parseFloat(row.cells[column].dataset.v);
  const ordered = (column, sign) => rows().every((row, i, all) => {
    if (i === 0) return true;
    const before = value(all[i - 1], column), here = value(row, column);
    if (typeof before !== typeof here) return true;
    return sign * (typeof here === "number" ? before - here : before.localeCompare(here)) <= 0;
  });
  const count = rows().length;
  const wrong = [];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    button.click();
    if (!ordered(column, 1) || head.getAttribute("aria-sort") !== "ascending") wrong.push(head.textContent + " up");
    button.click();
    if (!ordered(column, -1) || head.getAttribute("aria-sort") !== "descending") wrong.push(head.textContent + " down");
  });
  tables.push({id: table.id, rows: count, kept: rows().length === count, wrong});
}
return tables;
"""
CSV = r"""
return [...document.querySelectorAll("a[download]")].map((link) => {
  const text = decodeURIComponent(link.href.slice(link.href.indexOf(",") + 1));
  return {name: link.download, lines: text.trim().split("\n").length, head: text.split("\n")[0]};
});
"""


class Browser:
    def __init__(self, profile):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            found = re.search(r"on port (\d+)", line)
            if found and found.group(1) != "0":
                break
        self.base = f"http://127.0.0.1:{found.group(1)}"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                 "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
                 "--user-data-dir=" + profile]
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": {"args": flags},
                                  "goog:loggingPrefs": {"browser": "ALL"}}}
        self.session = ""
        self.session = "/session/" + self.call("POST", "/session", {"capabilities": wanted})["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + self.session + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.load(opener.open(request, timeout=60))["value"]

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def script(self, text):
        return self.call("POST", "/execute/sync", {"script": text, "args": []})

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()


def main():
    report, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    found = {"views": []}
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        try:
            for width, scheme in [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")]:
                browser.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
                browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                browser.call("POST", "/url", {"url": report.as_uri()})
                view = browser.script(CHECK)
                view.update(asked_width=width, scheme=scheme)
                found["views"].append(view)
                picture = browser.devtools("Page.captureScreenshot", captureBeyondViewport=True, format="png")
                (folder / f"{report.stem}-{width}-{scheme}.png").write_bytes(base64.b64decode(picture["data"]))
            print_out = browser.devtools("Page.printToPDF", printBackground=False)
            (folder / f"{report.stem}-print.pdf").write_bytes(base64.b64decode(print_out["data"]))
            found["tables"] = browser.script(SORT)
            found["csv"] = browser.script(CSV)
            found["console"] = [entry["message"] for entry in browser.call("POST", "/se/log", {"type": "browser"})
                                if entry["level"] in ("SEVERE", "WARNING")]
        finally:
            browser.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
