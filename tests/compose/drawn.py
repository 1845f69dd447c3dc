#!/usr/bin/python3
"""The dashboard, drawn from a real Prometheus after a real load, for where there is no Grafana: to see that each
panel has something to show, and what.

    drawn.py [--seconds S] [--out FILE.png]

Two edges, two of shows, customers of two kinds, and a kill -9 of one of shows in the middle. Every panel of
compose/grafana/dashboards/stagedoor.json is asked for as Grafana would ask, and drawn plainly: this shows the questions
and their answers, not how Grafana looks. Wants `make build`, Chromium, and Prometheus (Debian's package: it is
unpacked, not installed)."""

import argparse
import datetime
import html
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from buses import SqliteBus  # noqa: E402
from theatre import BIN, House, until  # noqa: E402

DASHBOARD = ROOT / "compose/grafana/dashboards/stagedoor.json"
COLOURS = ("#1f60c4", "#e0752d", "#37872d", "#c4162a", "#8f3bb8", "#b8860b", "#00838f", "#6d4c41", "#5f6b7a")
COLUMN, ROW = 62, 30  # pixels of Grafana's grid: 24 columns
RATE_INTERVAL, STEP_S = "15s", 2


# ---- a house, and who measures it ----------------------------------------------------------------

class Prometheus:
    def __init__(self, folder, targets):
        jobs = "".join(f"  - job_name: stagedoor-{part}\n    static_configs: [{{targets: {json.dumps(found)}}}]\n"
                       for part, found in targets.items())
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 1s, evaluation_interval: 5s}}\n"
            f"rule_files: [{ROOT / 'compose/prometheus/alerts.yml'}]\nscrape_configs:\n{jobs}")
        self.log = (folder / "prometheus.log").open("w+")
        self.process = subprocess.Popen(
            [self.program(folder), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
             "--web.listen-address=127.0.0.1:0"], stdout=self.log, stderr=subprocess.STDOUT)
        self.url = until(self.address, "Prometheus to listen")

    @staticmethod
    def program(folder):
        found = shutil.which("prometheus")
        if not found:
            subprocess.run(["apt-get", "download", "prometheus"], cwd=folder, check=True, capture_output=True)
            subprocess.run(["dpkg", "-x", next(folder.glob("prometheus_*.deb")), folder / "unpacked"], check=True)
            found = folder / "unpacked/usr/bin/prometheus"
        return found

    def address(self):
        """Port 0 is a free one, which only the kernel tells."""
        lines = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
        found = [line.split()[3] for line in lines if f"pid={self.process.pid}," in line]
        return f"http://{found[0]}" if found else None

    def ask(self, expression, begun_s, ended_s):
        """[(labels, [(seconds, value)])]"""
        query = urllib.parse.urlencode({"query": expression.replace("$__rate_interval", RATE_INTERVAL),
                                        "start": begun_s, "end": ended_s, "step": STEP_S})
        with urllib.request.urlopen(f"{self.url}/api/v1/query_range?{query}", timeout=30) as answer:
            found = json.load(answer)["data"]["result"]
        return [(one["metric"], [(at, float(value)) for at, value in one["values"] if value != "NaN"])
                for one in found]


def load(house, web, seconds):
    """Those who buy, and those who come too late; shows loses an instance in between."""
    common = ("--url", web.url, "--data", house.data, "--seconds", str(seconds))
    buyers = house.start("stagedoor", "bench", "reserve", *common, "--show", "hamlet", "--create", "20000", "-R", "60")
    late = house.start("stagedoor", "bench", "reserve", *common, "--show", "lear", "--create", "200", "-R", "15",
                       "--others")
    return buyers, late


def evening(folder, seconds):
    """(begun, ended, Prometheus), and everybody at work meanwhile."""
    house = House(SqliteBus(folder), folder)
    targets, programs = {}, {}

    def seen(program, part):
        address = program.said(r"metrics at http://(127\.0\.0\.1:\d+)/")[1]
        targets.setdefault(part, []).append(address)
        return program
    try:
        house.create_topics()
        admin = ("--admin", "127.0.0.1:0")
        for part, number in (("shows", "1"), ("shows", "2"), ("reservations", "1"), ("checkout", "1")):
            programs[part, number] = seen(house.service(part, number, *admin), part)
        program, web = house.edge(*admin)
        seen(program, "edge")
        second, _ = house.second_edge(*admin)
        seen(second, "edge")
        prometheus = Prometheus(folder, targets)
        begun_s = time.time()
        crowd = load(house, web, seconds)
        until(lambda: time.time() > begun_s + seconds / 2, "half of the evening", seconds)
        programs["shows", "2"].kill()
        for one in crowd:
            one.ended(seconds + 60)
        return house, prometheus, begun_s, time.time()
    except BaseException:
        house.close()
        raise


# ---- drawing -------------------------------------------------------------------------------------

def told(value, unit):
    if unit == "percentunit":
        return f"{value * 100:.1f} %"
    if unit == "s":
        return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    text = f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"
    return text + {"ops": "/s", "reqps": " req/s"}.get(unit, "")


def name_of(labels, legend):
    text = legend or ""
    for key, value in labels.items():
        text = text.replace("{{" + key + "}}", value.removeprefix("127.0.0.1"))
    return text


def curves(panel, lines, width, height, begun_s, ended_s):
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    legend = 16 * ((min(len(lines), 9) + 2) // 3) + 4
    left, top, bottom, right = 74, 6, height - 20 - legend, width - 10
    most = max([value for _, points in lines for _, value in points], default=0) * 1.05 or 1

    def x_of(at):
        return left + (right - left) * (at - begun_s) / (ended_s - begun_s)

    def y_of(value):
        return bottom - (bottom - top) * value / most
    drawn = []
    for step in range(4):
        y = y_of(most * step / 3)
        drawn.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
                     f'<text x="{left - 6}" y="{y + 4:.1f}" class="axis end">{told(most * step / 3, unit)}</text>')
    for step in range(4):
        at = begun_s + (ended_s - begun_s) * step / 3
        clock = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%H:%M:%S")
        drawn.append(f'<text x="{x_of(at):.1f}" y="{bottom + 15}" class="axis {"end" if step == 3 else ""}">{clock}</text>')
    for number, (name, points) in enumerate(lines[:9]):
        colour = COLOURS[number]
        path = " ".join(f"{x_of(at):.1f},{y_of(value):.1f}" for at, value in points)
        x, y = 10 + number % 3 * (width - 20) / 3, height - legend + 12 + number // 3 * 16
        drawn.append(f'<polyline points="{path}" stroke="{colour}" class="line"/>'
                     f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="12" height="4" fill="{colour}"/>'
                     f'<text x="{x + 17:.0f}" y="{y:.0f}" class="axis">{html.escape(name.removeprefix("stagedoor-")[:23])}</text>')
    if not lines:
        drawn.append(f'<text x="{width / 2}" y="{height / 2}" class="none">nothing happened</text>')
    return "".join(drawn)


def figure(panel, lines, width, height):
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    words = told(lines[0][1][-1][1], unit) if lines and lines[0][1] else "–"
    return f'<text x="{width / 2}" y="{height / 2 + 14}" class="figure">{words}</text>'


def draw(panel, prometheus, begun_s, ended_s):
    place = panel["gridPos"]
    width, height = place["w"] * COLUMN - 8, place["h"] * ROW - 8
    lines = [(name_of(labels, target.get("legendFormat")), points)
             for target in panel["targets"] for labels, points in prometheus.ask(target["expr"], begun_s, ended_s)]
    inner = (figure(panel, lines, width, height - 24) if panel["type"] == "stat"
             else curves(panel, lines, width, height - 24, begun_s, ended_s))
    return (f'<div style="left:{place["x"] * COLUMN + 12}px;top:{place["y"] * ROW + 60}px;width:{width}px;'
            f'height:{height}px"><h2>{html.escape(panel["title"])}</h2>'
            f'<svg width="{width}" height="{height - 24}">{inner}</svg></div>')


STYLE = """body{margin:0;background:#f4f5f5;font:13px system-ui,sans-serif;color:#24292e}
h1{font-size:20px;margin:10px 12px 0}p{margin:2px 12px;color:#5f6b7a}
div{position:absolute;background:#fff;border:1px solid #dcdfe3;border-radius:3px}
h2{font-size:13px;font-weight:600;margin:5px 10px 0;height:18px}
.grid{stroke:#e9ebee}.axis{font-size:11px;fill:#5f6b7a}.end{text-anchor:end}.line{fill:none;stroke-width:1.6}
.none{text-anchor:middle;fill:#9aa2ab}.figure{text-anchor:middle;font-size:34px;font-weight:600;fill:#1f60c4}"""


def page(prometheus, begun_s, ended_s):
    dashboard = json.loads(DASHBOARD.read_text())
    panels = "".join(draw(panel, prometheus, begun_s, ended_s) for panel in dashboard["panels"])
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"]) * ROW + 72
    return height, (f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><h1>{html.escape(dashboard['title'])}</h1>"
                    f"<p>compose/grafana/dashboards/stagedoor.json, its questions answered by Prometheus after "
                    f"{ended_s - begun_s:.0f} s of load; drawn by tests/compose/drawn.py, not by Grafana</p>{panels}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/dashboard.png")
    options = parser.parse_args()
    assert (BIN / "stagedoor").exists(), "not built; try: make build"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        house, prometheus, begun_s, ended_s = evening(folder, options.seconds)
        try:
            height, text = page(prometheus, begun_s, ended_s)
            for labels, _ in prometheus.ask('ALERTS{alertstate="firing"}', begun_s, ended_s):
                print("fired:", labels["alertname"], labels.get("job", ""))
        finally:
            prometheus.process.terminate()
            prometheus.process.wait(30)
            house.close()
        (folder / "page.html").write_text(text)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                        "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
                        f"--user-data-dir={folder}/chromium", f"--window-size={24 * COLUMN + 24},{height}",
                        f"--screenshot={options.out.resolve()}", (folder / "page.html").as_uri()],
                       check=True, capture_output=True, timeout=120)
    print(options.out)


if __name__ == "__main__":
    main()
