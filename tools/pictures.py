"""Makes the README's pictures from the running program with the demo in it.

python tools/pictures.py FOLDER [--all]     --all: every screen, light and dark, wide and narrow
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image
from playwright.sync_api import Page

from tests.support.chromium import browser
from tests.support.services import free_port

DRAFT = """{{ anrede }},

heute Morgen lag der erste Reif auf den Rosenkohlblättern, und Jost hat das Wasser im Tunnel abgedreht. Das Gartenjahr ist zu Ende.

## Was in der Kommode liegt

Wir haben gezählt: *einundneunzig Kilo* Bohnen, achtzehn Sorten Tomaten, und eine Schublade, die immer noch klemmt.

- Hedwig reicht für tausend Tütchen
- Die Gute hat dreihundert Knollen getragen
- Josts Sture ist wieder süßer als meine

> „Jetzt darf der Schnee kommen“, sagt Frau Dölling. Sie sagt es jedes Jahr, und jedes Jahr kommt er.

[Katalog ansehen](https://saatgarten.example/katalog){ .button }

Herzlich
Mira
"""


# What the last look finds: a field that nobody knows, and a link without a lock.
FAULTY = DRAFT.replace("{{ anrede }}", "{{ anrde }}").replace("https://saatgarten.example/katalog", "http://saatgarten.example/katalog")


def main() -> None:
    """Start the program, walk through it, take the pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data_dir:
        port = free_port()
        environment = os.environ | {
            "BRIEFTAUBE_DATA_DIR": data_dir,
            "BRIEFTAUBE_PORT": str(port),
            "BRIEFTAUBE_CONFIG": "/nowhere",
            "BRIEFTAUBE_UNDO_SECONDS": "60",
        }
        brieftaube = [sys.executable, "-m", "newsletter"]
        demo = subprocess.run([*brieftaube, "demo", "--json"], env=environment, capture_output=True, text=True, check=True)
        program = subprocess.Popen([*brieftaube, "run"], env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}/archive/saatbrief/")
            with browser() as chromium:
                context = chromium.new_context(locale="de-DE", device_scale_factor=1)
                _take(context.new_page(), f"http://127.0.0.1:{port}", json.loads(demo.stdout), folder, every="--all" in sys.argv)
        finally:
            program.terminate()
            program.wait(30)


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            if urllib.request.urlopen(address, timeout=2).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


def _take(page: Page, base: str, account: dict[str, str], folder: Path, *, every: bool) -> None:
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{base}/admin/log-in")
    page.fill("#email", account["email"])
    page.fill("#password", account["password"])
    page.click("main .button")
    faulty = _write(page, base, FAULTY)
    draft = _write(page, base)
    screens = {
        "today": "/admin/saatbrief/",
        "editor": f"/admin/saatbrief/issues/{draft}",
        "prepare": f"/admin/saatbrief/issues/{faulty}/send",
        "calendar": "/admin/saatbrief/calendar",
        "design": "/admin/saatbrief/design",
        "library": "/admin/saatbrief/pictures",
        "report": "/admin/saatbrief/mailings/12/report",
        "help": "/admin/saatbrief/help/writing",
        "import": "/admin/saatbrief/issues/import",
        "mailing": "/admin/saatbrief/mailings/12",
        "people": "/admin/saatbrief/subscribers/",
        "sign-up": "/p/saatbrief",
        "inbox": "/admin/saatbrief/inbox",
        "conversation": "/admin/saatbrief/inbox/1",
        "growth": "/admin/saatbrief/growth",
        "reach": "/admin/saatbrief/reach",
        "drill": "/admin/saatbrief/reach/drills?span=forever",
        "archive": "/archive/saatbrief/",
        "letter": "/archive/saatbrief/der-neue-katalog-und-was-nicht-mehr-darin-steht/",
    }
    if every:
        admin = {
            "issues": "issues/",
            "person": "subscribers/5",
            "channels": "channels",
            "channel": "channels/3",
            "link": "links/3",
            "announcements": "reach/announcements",
            "reach-report": "reach/report",
            "texting": "reach/sms",
            "segment": "segments/1",
            "form": "forms/anmeldeseite",
            "shield": "shield",
            "imports": "imports/",
            "archive-admin": "archive",
            "returns": "returns",
            "doors": "returns/doors",
            "strangers": "inbox?place=strangers",
            "settings": "settings",
        }
        screens |= {name: f"/admin/saatbrief/{path}" for name, path in admin.items()}
        screens |= {
            "design": "/dev/design",
            "catcher": "/dev/mail",
            "privacy": "/p/saatbrief/privacy",
            "front": "/",
            "lost": "/x",
            "transport": "/admin/transport",
            "domain": "/admin/saatbrief/domain",
            "providers": "/admin/saatbrief/mailings/12/providers",
            "tag": "/archive/saatbrief/tags/anbau/",
        }
    _layouts(page, base, draft, folder)
    for name, path in screens.items():
        page.goto(base + path)
        page.wait_for_timeout(1200 if name in ("editor", "design", "help") else 150)
        for width, scheme in ((1280, "light"), (390, "light"), (1280, "dark")) if every else ((1280, "light"),):
            page.set_viewport_size({"width": width, "height": 860})
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            suffix = f"-{width}{'-dark' if scheme == 'dark' else ''}" if every else ""
            page.screenshot(path=folder / f"{name}{suffix}.png", full_page=every and name != "editor")
        page.set_viewport_size({"width": 1280, "height": 860})
        page.emulate_media(color_scheme="light")


def _layouts(page: Page, base: str, draft: str, folder: Path) -> None:
    """The four layouts beside each other, with the same letter in them."""
    shots = []
    for layout in ("letter", "magazine", "digest", "plain"):
        page.goto(f"{base}/admin/saatbrief/design")
        page.check(f"[name=mail_layout][value={layout}]")
        page.click("[data-design] .button")
        page.set_viewport_size({"width": 640, "height": 860})
        page.goto(f"{base}/admin/saatbrief/issues/{draft}/preview/mail")
        shots.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{base}/admin/saatbrief/design")
    page.check("[name=mail_layout][value=letter]")
    page.click("[data-design] .button")
    sheet = Image.new("RGB", (2 * 640 + 20, 2 * 860 + 20), "#ddd7ca")
    for number, shot in enumerate(shots):
        sheet.paste(shot, (number % 2 * 660, number // 2 * 880))
    sheet.save(folder / "layouts.png", optimize=True)


def _write(page: Page, base: str, text: str = DRAFT) -> str:
    page.goto(f"{base}/admin/saatbrief/issues/")
    page.click("main .button")
    page.fill("#subject", "Einundneunzig Kilo Bohnen")
    page.fill("#preheader", "Ein Jahr in Schubladen, und was der erste Reif damit zu tun hat.")
    page.fill("#tags", "Werkstatt")
    page.click(".cm-content")
    page.keyboard.insert_text(text)
    page.wait_for_timeout(2000)
    return page.url.rpartition("/")[2]


if __name__ == "__main__":
    main()
