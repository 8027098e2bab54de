#!/usr/bin/env python3
"""How long a browser takes until a page is there, against an empty page in the same runs.

    tests/campaigns/page-load.py PAGE.html [MORE.html ...] [--repeats 5] [--browser chromium]

Each page is opened from its file in a new headless browser with an empty profile; the pages take turns, so that other work on the machine
slows all of them alike. Prints medians, in seconds:
  whole   from the start of the browser's process until the page has loaded, and its ratio to that of the empty page
  load    of it, from the request for the page until its load event
  cpu     what the page's thread has computed by then, which other work on the machine changes little
  chart   from a jump to the page's first chart until it is drawn, where the page has charts

Needs Python 3.9 and Chromium; nothing else. Not for Windows: the browser is driven through pipes.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

DRAWN = """new Promise(function (done) {
  var chart = document.querySelector(".nt-plot");
  if (!chart) { done(false); return; }
  chart.scrollIntoView({ behavior: "instant" });
  (function look() { if (chart.hasAttribute("data-drawn")) { done(true); } else { setTimeout(look, 5); } })();
})"""


class Browser:
    """One browser, driven by its debugging protocol: messages end with a zero byte."""

    def __init__(self, program, profile):
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()

        def wire():
            # The browser reads from 3 and writes to 4.
            first, second = os.dup(to_browser), os.dup(from_browser)
            os.dup2(first, 3)
            os.dup2(second, 4)

        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--window-size=1400,900"]
        self._process = subprocess.Popen([program, *options, f"--user-data-dir={profile}", "--remote-debugging-pipe"], close_fds=False, preexec_fn=wire,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._count = 0
        self._rest = b""
        self._events = []

    def _receive(self):
        while b"\0" not in self._rest:
            more = os.read(self._in, 1 << 16)
            if not more:
                raise SystemExit("The browser ended early; is --browser a Chromium or Chrome?")
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, session=None, **parameters):
        """Sends a command and waits for its answer; events in between are kept for wait."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._events.append(answer.get("method"))

    def wait(self, event):
        """Waits for an event."""
        while event not in self._events:
            self._events.append(self._receive().get("method"))

    def close(self):
        self.ask("Browser.close")
        self._process.wait()
        os.close(self._in)
        os.close(self._out)


def measure(program, page):
    """Seconds until loaded, of them for the page itself, computed by its thread, and for the first chart (None if there is none)."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        start = time.perf_counter()
        browser = Browser(program, profile)
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.ask("Page.enable", session)
        browser.ask("Performance.enable", session)
        asked = time.perf_counter()
        browser.ask("Page.navigate", session, url=page.resolve().as_uri())
        browser.wait("Page.loadEventFired")
        loaded = time.perf_counter()
        metrics = {metric["name"]: metric["value"] for metric in browser.ask("Performance.getMetrics", session)["metrics"]}
        jump = time.perf_counter()
        drawn = browser.ask("Runtime.evaluate", session, expression=DRAWN, awaitPromise=True, returnByValue=True)["result"]["value"]
        seen = time.perf_counter()
        browser.close()
    return loaded - start, loaded - asked, metrics["ThreadTime"], seen - jump if drawn else None


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("pages", nargs="+", type=pathlib.Path)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--browser", default="chromium")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty = pathlib.Path(folder, "empty.html")
        empty.write_text("<!DOCTYPE html><title>empty</title>")
        pages = [empty, *options.pages]
        times = {page: [] for page in pages}
        for _ in range(options.repeats):
            for page in pages:
                times[page].append(measure(options.browser, page))
        print(f"{'page':40} {'MB':>6} {'whole':>7} {'ratio':>6} {'load':>7} {'cpu':>7} {'chart':>7}")
        base = statistics.median(run[0] for run in times[empty])
        for page in pages:
            whole, load, cpu = (statistics.median(run[i] for run in times[page]) for i in range(3))
            charts = [run[3] for run in times[page] if run[3] is not None]
            chart = f"{statistics.median(charts):7.2f}" if charts else f"{'-':>7}"
            print(f"{str(page)[-40:]:40} {page.stat().st_size / 1e6:6.2f} {whole:7.2f} {whole / base:6.2f} {load:7.2f} {cpu:7.2f} {chart}")


if __name__ == "__main__":
    main()
