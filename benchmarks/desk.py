"""How quick the desk is in a real browser: a keystroke until its letter is painted, the page until one can write, what is loaded.

python benchmarks/desk.py [--keys N]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page

from tests.support.chromium import browser
from tests.support.services import free_port

WORDS = 2000
PARAGRAPH = "heute Morgen lag der erste Reif auf den Blättern, und Jost hat das Wasser im Tunnel abgedreht, weil das Gartenjahr nun wirklich zu Ende ist."


def main() -> None:
    """Start the program with the demo in it, write a letter of 2,000 words, and measure."""
    keys = int(sys.argv[sys.argv.index("--keys") + 1]) if "--keys" in sys.argv else 60
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        environment = os.environ | {"BRIEFTAUBE_DATA_DIR": folder, "BRIEFTAUBE_PORT": str(port), "BRIEFTAUBE_CONFIG": "/nowhere"}
        command = [sys.executable, "-m", "newsletter"]
        account = json.loads(subprocess.run([*command, "demo", "--json"], env=environment, capture_output=True, text=True, check=True).stdout)
        program = subprocess.Popen([*command, "run"], env=environment, stderr=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(base)
            with browser() as chromium:
                page = chromium.new_context(locale="de-DE", viewport={"width": 1280, "height": 860}).new_page()
                found = _measure(page, base, account, keys)
        finally:
            program.terminate()
            program.wait(30)
        print(json.dumps(found | _inside(folder), indent=1))


def _inside(folder: str) -> dict[str, object]:
    """What needs no browser: an issue of 40 blocks, and the page of a thousand versions."""
    from datetime import timedelta

    from newsletter import process as processes
    from newsletter.accounts.actions import open_session
    from newsletter.issues.models import Revision
    from newsletter.rendering.document import make_document
    from newsletter.rendering.mail import Frame, to_mail
    from newsletter.rendering.showcase import CARDS, PICTURES, SNIPPETS, everything
    from newsletter.rendering.web import to_web
    from newsletter.settings import load
    from newsletter.web import create_app

    frame = Frame("de", "Brief", "", "heute", "weil", "ab", "pause", "archiv", "https://a.example/", ("Mira",))
    source = "\n\n".join(everything("de").split("::: weiterlesen")[0] for _ in range(2))
    document = make_document(source, "de", PICTURES, SNIPPETS, CARDS)

    def render() -> None:
        made = make_document(source, "de", PICTURES, SNIPPETS, CARDS)
        to_mail(made, "Betreff", "Vorschau", frame, str)
        to_web(made)

    process = processes.use(processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=Path(folder))))
    client = create_app(process).test_client()
    with process.writing() as session:
        now = process.clock()
        for number in range(2, 1002):
            session.add(
                Revision(
                    issue_id=13, revision=number + 10_000, subject="Betreff", preheader="", markdown="Wort " * 2000, created_at=now + timedelta(minutes=number)
                )
            )
        secret = open_session(session, editor_id=1, now=now)
    with client.session_transaction() as cookie:
        cookie["who"] = secret

    def versions() -> None:
        assert client.get("/admin/saatbrief/issues/13/versions").status_code == 200

    return {
        "blocks": len(document.blocks),
        "rendering them for mail, text and web, ms": round(_median(render)),
        "the page of 1,000 versions, ms": round(_median(versions)),
    }


def _median(work: Callable[[], None], rounds: int = 9) -> float:
    work()
    spans = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spans.append(1000 * (time.perf_counter() - began))
    return statistics.median(spans)


def _wait(base: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{base}/healthz", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)


def _measure(page: Page, base: str, account: dict[str, str], keys: int) -> dict[str, object]:
    page.goto(f"{base}/admin/log-in")
    page.fill("#email", account["email"])
    page.fill("#password", account["password"])
    page.click("main .button")
    page.goto(f"{base}/admin/saatbrief/issues/")
    page.click("main .button")
    page.wait_for_selector("html[data-desk=ready]")
    address = page.url
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    loaded: list[int] = []
    session.on("Network.loadingFinished", lambda event: loaded.append(int(event["encodedDataLength"])))
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("html[data-desk=ready]", state="attached")
    interactive = time.perf_counter() - began
    page.wait_for_timeout(1500)
    weight = sum(loaded)
    page.click(".cm-content")
    paragraphs = WORDS // len(PARAGRAPH.split())
    page.keyboard.insert_text("\n\n".join(f"## Teil {number}\n\n{PARAGRAPH}" if number % 6 == 0 else PARAGRAPH for number in range(paragraphs)))
    page.wait_for_timeout(4000)
    page.evaluate("performance.clearMeasures()")
    for number in range(keys):
        page.keyboard.press("abcdefghij "[number % 11])
        page.wait_for_timeout(700)
    spans = sorted(page.evaluate("performance.getEntriesByName('brieftaube.preview').map((entry) => entry.duration)"))
    return {
        "words": int(page.eval_on_selector("[data-words]", "node => parseInt(node.textContent.replace('.', ''))")),
        "keystroke to painted preview, ms": {"median": round(statistics.median(spans)), "p95": round(spans[int(0.95 * len(spans)) - 1]), "n": len(spans)},
        "page, bytes transferred": weight,
        "interactive, ms": round(interactive * 1000),
    }


if __name__ == "__main__":
    main()
