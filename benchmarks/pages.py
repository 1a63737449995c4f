"""How long pages take with the demo's two hundred readers, how soon the program is up, how much memory it takes.

    python benchmarks/pages.py [--requests 40]

Milliseconds depend on the machine; the ratio to /healthz, measured in the same run, does not.
"""

import argparse
import http.cookiejar
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from newsletter.supervisor import free_port

PAGES = (
    "/", "/p/saatbrief", "/admin/saatbrief/reach", "/archive/saatbrief/", "/admin/saatbrief/", "/admin/saatbrief/issues/", "/admin/saatbrief/issues/13",
    "/admin/saatbrief/issues/13/send", "/admin/saatbrief/issues/13/preview/mail", "/admin/saatbrief/mailings/12", "/admin/saatbrief/mailings/12/accepted",
    "/admin/saatbrief/subscribers/", "/admin/saatbrief/subscribers/5", "/admin/saatbrief/channels", "/admin/saatbrief/settings", "/admin/transport",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=40)
    number = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = os.environ | {"BRIEFTAUBE_DATA_DIR": folder, "BRIEFTAUBE_PORT": str(port), "BRIEFTAUBE_CONFIG": "/nowhere"}
        brieftaube = [sys.executable, "-m", "newsletter"]
        account = json.loads(subprocess.run([*brieftaube, "demo", "--json"], env=environment, capture_output=True, text=True, check=True).stdout)
        began = time.perf_counter()
        program = subprocess.Popen([*brieftaube, "run"], env=environment, stderr=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(f"{base}/readyz")
            print(f"up after {time.perf_counter() - began:.2f} s")
            _wait(f"{base}/archive/saatbrief/")
            opener = _log_in(base, account)
            limit = _p95(opener, f"{base}/healthz", number)
            print(f"{'/healthz':45} p95 {limit:6.1f} ms   (the limit)")
            for path in PAGES:
                p95 = _p95(opener, base + path, number)
                print(f"{path:45} p95 {p95:6.1f} ms   {p95 / limit:5.1f} x")
            print(f"memory of all processes: {_memory(program.pid):.0f} MB")
        finally:
            program.terminate()
            program.wait(30)


def _wait(address: str) -> None:
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).read()
        except OSError:
            time.sleep(0.02)
        else:
            return


def _log_in(base: str, account: dict[str, str]) -> urllib.request.OpenerDirector:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def token(path: str) -> str:
        return re.search(r'name="csrf_token" value="([^"]+)"', opener.open(base + path).read().decode()).group(1)

    fields = {"csrf_token": token("/admin/log-in"), "email": account["email"], "password": account["password"]}
    opener.open(f"{base}/admin/log-in", urllib.parse.urlencode(fields).encode()).read()
    text = (
        (Path(__file__).parent.parent / "newsletter" / "demo" / "issues" / "12.md")
        .read_text("utf-8")
        .split("---\n", 2)[2]
        .replace("/media/KOMMODE", "/media/x")
    )
    opener.open(f"{base}/admin/saatbrief/issues/", urllib.parse.urlencode({"csrf_token": token("/admin/account")}).encode()).read()
    fields = {"csrf_token": token("/admin/account"), "revision": "1", "subject": "Probe", "preheader": "x", "tags": "", "markdown": text}
    opener.open(f"{base}/admin/saatbrief/issues/13", urllib.parse.urlencode(fields).encode()).read()
    return opener


def _p95(opener: urllib.request.OpenerDirector, address: str, number: int) -> float:
    times = []
    for _ in range(number):
        began = time.perf_counter()
        opener.open(address).read()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[int(number * 0.95)]


def _memory(pid: int) -> float:
    """Resident memory of a process and its children, in MB."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if int(folder.name) == pid or parent == pid:
                total += int(re.search(r"VmRSS:\s+(\d+)", (folder / "status").read_text()).group(1))
        except (OSError, ValueError, AttributeError):
            continue
    return total / 1024


if __name__ == "__main__":
    main()
