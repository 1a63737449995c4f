"""One journey through everything in a real browser: set up, subscribe, write, send, read."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from newsletter.catcher.store import Store
from tests.media.test_images import picture
from tests.rendering.test_document import XSS
from tests.support import cast, chromium
from tests.test_run import Running, call

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.browser() as found:
        yield found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path / "data", undo_seconds=3)
    yield found
    found.stop()


class Watched:
    """A page that fails on errors in the console and on every request to anybody else."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.page: Page = context.new_page()
        self.trouble: list[str] = []
        self.base = base
        self.page.on("console", lambda message: self.trouble.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("request", lambda request: self._look(request.url))

    def _look(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "about:")):
            self.trouble.append(f"L13: asked {url}")

    def check(self) -> None:
        # A refused form is answered with 422, which the browser reports as an error of its own.
        assert [text for text in self.trouble if "422" not in text and "410" not in text and "404" not in text] == []


PICTURES = Path(__file__).resolve().parent.parent.parent / "pictures"


def look(page: Page, axe: str, name: str) -> None:
    """L12: no violation of WCAG 2.2 AA, in light and in dark. Pictures of what was seen lie in pictures/."""
    PICTURES.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if " en " not in name:
            page.screenshot(path=PICTURES / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-') or 'start'}-{scheme}.png")
        page.evaluate(axe)
        result = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false})")
        found = [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in result["violations"]]
        assert not found, (name, scheme, found)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (name, "scrolls sideways")
    page.emulate_media(color_scheme="light")


def test_from_the_first_start_to_a_letter_in_the_archive(browser: Browser, running: Running, tmp_path: Path) -> None:
    axe = chromium.axe()
    base = f"http://127.0.0.1:{running.port}"
    setup = re.search(r"http://\S+/setup/\S+", running.said).group(0)
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900})
    watched = Watched(context, base)
    page = watched.page

    # The first start: four short pages.
    page.goto(setup)
    look(page, axe, "you")
    page.fill("#name", "Mira Lindner")
    page.fill("#email", "mira@saatgarten.example")
    page.fill("#password", cast.PASSWORD)
    page.click("main .button")
    look(page, axe, "publication")
    page.click("main .button")
    expect(page.locator("[role=alert]")).to_contain_text("Angaben stimmen noch nicht")
    for name, value in {"name": "Der Saatbrief", "promise": "Ein Brief im Monat.", "imprint_street": "Am Anger 4", "imprint_place": "02625 Bautzen"}.items():
        page.fill(f"#{name}", value)
    page.click("main .button")
    look(page, axe, "transport")
    page.click("button[value=test]")
    expect(page.locator(".notice[role=status]")).to_contain_text("angenommen")
    page.click("button[value=next]")
    look(page, axe, "form")
    expect(page.locator("main")).to_contain_text(f"{base}/p/der-saatbrief")
    page.click("main .button")
    expect(page.locator("h1")).to_have_text("Alles ist bereit für deinen ersten Brief.")
    look(page, axe, "today")

    # Somebody subscribes, without script.
    public = browser.new_context(locale="de-DE", java_script_enabled=False)
    reader = public.new_page()
    reader.goto(f"{base}/p/der-saatbrief?via=instagram")
    time.sleep(2.1)
    reader.fill("#email", "ada@example.org")
    reader.click("main .button")
    expect(reader.locator("h1")).to_have_text("Jetzt fehlt nur noch ein Klick in deinem Postfach.")
    store = Store(running.data_dir)
    wait_for(lambda: store.latest(recipient="ada@"))
    link = re.search(r"http://\S+/confirm/\S+", store.get(store.latest(recipient="ada@")[0].id).body("plain")).group(0)
    reader.goto(link)
    time.sleep(2.1)
    reader.click("main .button")
    expect(reader.locator("h1")).to_have_text("Geschafft. Der nächste Brief kommt zu dir.")
    assert public.cookies() == []

    # A letter is written, with a picture, and seen as it will arrive.
    page.goto(f"{base}/admin/")
    page.click("ol.rows .button")
    page.fill("#subject", "Die erste Bohne ist da")
    page.fill("#preheader", "Und warum sie krumm ist.")
    page.click(".cm-content")
    page.keyboard.type('{{ anrede }},\n\nheute kam die "erste" Bohne.\n\n## Warum krumm?\n\nWeil es kalt war.')
    (tmp_path / "bohne.png").write_bytes(picture("PNG", (400, 200)))
    page.set_input_files("[data-file]", tmp_path / "bohne.png")
    expect(page.locator(".cm-content")).to_contain_text("/media/")
    page.keyboard.type("Eine Bohne")
    preview = page.frame_locator("[data-frame]")
    expect(preview.locator("body")).to_contain_text("Hallo Mira,")
    expect(preview.locator("body")).to_contain_text("„erste“")
    expect(preview.locator("img")).to_have_attribute("alt", "Eine Bohne")
    expect(page.locator("[data-findings]")).to_have_text("Nichts zu beanstanden")
    look(page, axe, "editor")
    for medium, words in (("dark", "Hallo Mira"), ("phone", "Hallo Mira"), ("text", "Warum krumm?\n============"), ("web", "Hallo,")):
        page.click(f"[data-medium={medium}]")
        expect(preview.locator("body")).to_contain_text(words)

    # It is sent, with a while to take it back; then it is in the mailbox and in the archive.
    page.click("button[value=send]")
    look(page, axe, "prepare")
    page.click(".button.danger.large")
    expect(page.locator("h1")).to_contain_text("um alles zurückzunehmen")
    look(page, axe, "mailing")
    expect(page.locator("h1")).to_have_text("1 von 1 sind angenommen.", timeout=20_000)
    letter = store.get(store.latest(recipient="ada@")[0].id)
    assert letter.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    archive = f"{base}/archive/der-saatbrief/"
    wait_for(lambda: "Bohne" in page.request.get(archive).text())
    for path in ("", "die-erste-bohne-ist-da/", "feeds/", "imprint/"):
        page.goto(archive + path)
        look(page, axe, f"archive/{path}")
    assert page.evaluate("document.scripts.length") == 0
    assert "<rss" in page.request.get(archive + "rss.xml").text()

    # Ada leaves by the link in her mail.
    reader.goto(re.search(r"http://\S+/u/\S+", letter.body("plain")).group(0))
    reader.click("main .button")
    expect(reader.locator("h1")).to_have_text("„Der Saatbrief“ ist abbestellt.")
    page.goto(f"{base}/admin/der-saatbrief/subscribers/?state=unsubscribed")
    expect(page.locator("tbody")).to_contain_text("ada@example.org")
    watched.check()
    context.close()
    public.close()


def test_a2_a_scanner_that_runs_scripts_and_follows_every_link_changes_nothing(browser: Browser, running: Running) -> None:
    data = running.data_dir
    base = f"http://127.0.0.1:{running.port}"
    call(
        data, "publication", "add", "--slug", "brief", "--name", "Der Brief", "--from", "mira@saat.example", "--imprint-person", "M", "--imprint-street", "A 4"
    )
    page = browser.new_page()
    page.request.post(f"{base}/p/brief/subscribe", form={"email": "ada@example.org"})
    store = Store(data)
    wait_for(lambda: store.latest(recipient="ada@"))
    mail = store.get(store.latest(recipient="ada@")[0].id)
    for link in set(re.findall(r"http://[^\s\"<>]+", mail.body("plain") + mail.body("html"))):
        page.goto(link)
        page.wait_for_timeout(300)
        for address in page.eval_on_selector_all("a", "links => links.map(link => link.href)"):
            page.goto(address)
    shown = call(data, "subscribers", "show", "ada@example.org", "--publication", "brief", "--json").stdout
    assert '"state": "pending"' in shown
    page.close()


def test_l12_every_page_of_the_demo_is_accessible_and_fits_a_phone(browser: Browser, running: Running) -> None:
    import json

    axe = chromium.axe()
    base = f"http://127.0.0.1:{running.port}"
    account = json.loads(call(running.data_dir, "demo", "--json").stdout)
    wait_for(lambda: (running.data_dir / "archive" / "saatbrief" / "index.html").exists())
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900})
    watched = Watched(context, base)
    page = watched.page
    page.goto(f"{base}/admin/log-in")
    page.fill("#email", account["email"])
    page.fill("#password", account["password"])
    page.click("main .button")
    expect(page.locator("h1")).to_contain_text("Menschen lesen mit")
    admin = [
        "",
        "issues/",
        "subscribers/",
        "subscribers/3",
        "subscribers/3/proof",
        "subscribers/3/erase",
        "subscribers/?q=a",
        "segments/",
        "segments/1",
        "segments/new",
        "forms/",
        "forms/anmeldeseite",
        "growth",
        "shield",
        "suppressions",
        "imports/",
        "reach",
        "reach/report",
        "channels",
        "channels/3",
        "links/3",
        "reach/announcements",
        "reach/drills",
        "reach/drills/1",
        "reach/sms",
        "archive",
        "issues/12/archive",
        "mentions",
        "settings",
        "domain",
        "mailings/12",
        "mailings/12/refused",
        "mailings/12/providers",
        "mailings/12/report",
        "calendar",
        "pictures",
        "design",
        "snippets",
        "issues/import",
        "inbox",
        "inbox/1",
        "inbox?place=strangers",
        "returns",
        "returns/doors",
    ]
    paths = [f"/admin/saatbrief/{path}" for path in admin]
    paths += [
        "/admin/account",
        "/admin/transport",
        "/dev/design",
        "/dev/mail",
        "/dev/sms",
        "/",
        "/p/saatbrief",
        "/p/saatbrief/privacy",
        "/p/saatbrief/f/anmeldeseite/embed",
        "/p/saatbrief/manage",
        "/m/x",
        "/u/x",
        "/nirgends",
    ]
    paths += [f"/archive/saatbrief/{path}" for path in ("", "warum-ich-jetzt-briefe-schreibe/", "tags/", "tags/anbau/", "feeds/", "nirgends/")]
    paths += [f"/archive/saatbrief/{path}" for path in ("search/?q=bohnen", "series/", "authors/", "2026/", "about/", "imprint/", "privacy/")]
    for language in ("de", "en"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{base}/admin/account")
        page.select_option("#language", language)
        page.click("form[action$=language] .button")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            for path in paths if language == "de" else paths[: len(admin)]:
                page.goto(base + path)
                look(page, axe, f"{path} {language} {width}")
    watched.check()
    context.close()


def test_an_outage_is_rehearsed_from_the_choice_to_the_protocol(browser: Browser, running: Running) -> None:
    """And then it is real: the prepared letter, a post and a text message leave, each after a last look."""
    import json

    axe = chromium.axe()
    base = f"http://127.0.0.1:{running.port}"
    account = json.loads(call(running.data_dir, "demo", "--json").stdout)
    wait_for(lambda: (running.data_dir / "archive" / "saatbrief" / "index.html").exists())
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"])
    watched = Watched(context, base)
    page = watched.page
    page.goto(f"{base}/admin/log-in")
    page.fill("#email", account["email"])
    page.fill("#password", account["password"])
    page.click("main .button")
    page.click("text=Reichweite")
    expect(page.locator("h1")).to_have_text(re.compile(r"Fällt Instagram morgen aus, erreichst du noch \d+ von 1\.\d+ Menschen\."))
    expect(page.locator(".lead")).to_contain_text("Vor einem Jahr hingen 9")
    page.click("text=Ausfall üben")

    page.select_option("#target", "operator:Meta")
    page.select_option("#span", "week")
    page.click("text=Zeig, was das hieße")
    expect(page.locator("h1")).to_contain_text("Meta (Instagram, WhatsApp-Kanal) ist weg.")
    page.click("text=Übung beginnen")
    expect(page.locator("#ways + table")).to_contain_text("Notbrief, geprüft")
    look(page, axe, "drill")
    page.set_viewport_size({"width": 390, "height": 844})
    look(page, axe, "drill 390")
    page.set_viewport_size({"width": 1280, "height": 900})

    page.click("text=Notbrief an mich schicken")
    expect(page.locator(".feedback")).to_contain_text("wurde angenommen")
    store = Store(running.data_dir)
    (dry,) = store.latest(recipient=account["email"])
    assert "Instagram und WhatsApp-Kanal" in store.get(dry.id).body("plain")  # type: ignore[union-attr]

    page.click("text=Text kopieren >> nth=0")
    assert "Instagram und WhatsApp-Kanal" in page.evaluate("navigator.clipboard.readText()")
    page.click("text=Die Plattform ist wirklich weg")
    page.fill("#text", "Wir sind noch da: im Archiv.")
    page.click("text=Neu rechnen")
    expect(page.locator("text=1,43 €")).to_be_visible()
    page.click("text=Jetzt an 19 Menschen senden")
    wait_for(lambda: len(store.texts()) == 19)
    assert {one.number[:9] for one in store.texts()} == {"+49171392"}
    assert all("Wir sind noch da: im Archiv." in one.text for one in store.texts())

    page.fill("#note", "In acht Minuten fertig.")
    page.click("text=Übung abschließen und Protokoll ablegen")
    expect(page.locator(".timeline")).to_contain_text("Meta (Instagram, WhatsApp-Kanal), eine Woche")
    expect(page.locator(".timeline")).to_contain_text("In acht Minuten fertig.")
    page.goto(f"{base}/admin/saatbrief/reach")
    expect(page.locator("#plan + ol")).to_contain_text("Ausfall in diesem Quartal geübt")
    expect(page.locator("#plan + ol li.past")).to_have_count(1)
    # For the client of an agency: one page of paper, in either language.
    for language in ("de", "en"):
        page.goto(f"{base}/admin/account")
        page.select_option("#language", language)
        page.click("form[action$=language] .button")
        page.goto(f"{base}/admin/saatbrief/reach/report")
        paper = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1, language
    watched.check()
    context.close()


def test_a_reader_decides_everything_with_script_switched_off(browser: Browser, running: Running) -> None:
    """Subscribe, confirm, pause, come back, change the address, take the data along, be forgotten: in a browser that runs no script."""
    axe = chromium.axe()
    base = f"http://127.0.0.1:{running.port}"
    call(running.data_dir, "demo")
    seen = browser.new_context(locale="de-DE", viewport={"width": 390, "height": 844})
    watched = Watched(browser.new_context(locale="de-DE", java_script_enabled=False, viewport={"width": 390, "height": 844}), base)
    page = watched.page

    def also_accessible(name: str) -> None:
        other = seen.new_page()
        other.goto(page.url)
        look(other, axe, f"reader/{name}")
        other.close()

    page.goto(f"{base}/p/saatbrief")
    page.fill("#email", "neu@gmx.de")
    time.sleep(2.1)
    page.click("main form .button")
    assert page.locator("a[href*='gmx.net']").get_attribute("rel") == "noopener noreferrer"
    page.goto(base + mailed(running, "confirm"))
    also_accessible("confirm")
    time.sleep(2.1)
    page.click("main form .button")
    expect(page.locator("h1")).to_contain_text("Der nächste Brief kommt")

    page.goto(base + mailed(running, "m"))
    also_accessible("preferences")
    page.check("input[name=pause][value=month]")
    page.check("input[name=rhythm][value=monthly]")
    page.click("main form .button >> nth=0")
    expect(page.locator(".lead")).to_contain_text("In Pause bis")
    page.check("input[name=pause][value=none]")
    page.click("main form .button >> nth=0")
    expect(page.locator(".lead")).not_to_contain_text("In Pause")
    page.click("text=Link schicken")

    wait_for(lambda: "/m/" in mailed(running, "m", subject="Deine Seite"))
    key = mailed(running, "m", subject="Deine Seite")
    page.goto(base + key)
    also_accessible("key")
    page.click("text=Adresse ändern")
    page.fill("#email", "anders@gmx.de")
    page.click("main form .button")
    page.goto(base + mailed(running, "move"))
    page.click("main form .button")
    expect(page.locator("main")).to_contain_text("anders@gmx.de")

    with page.expect_download() as download:
        page.goto(base + key)
        page.click("text=JSON")
    assert "anders@gmx.de" in Path(download.value.path()).read_text("utf-8")
    page.goto(base + key)
    page.click("text=Meine Daten löschen")
    page.click("main form .button")
    expect(page.locator("h1")).to_contain_text("gelöscht")
    assert page.goto(base + key).status == 410
    watched.check()


def test_a1_under_pressure_a_browser_does_the_sum_and_a_person_presses(browser: Browser, tmp_path: Path) -> None:
    running = Running(tmp_path / "data", undo_seconds=3, sign_ups_calm=1)
    try:
        base = f"http://127.0.0.1:{running.port}"
        call(running.data_dir, "demo")
        watched = Watched(browser.new_context(locale="de-DE"), base)
        page = watched.page
        for number in (1, 2):
            page.goto(f"{base}/p/saatbrief")
            page.fill("#email", f"leser{number}@example.org")
            time.sleep(2.1)
            page.click("main form .button")
        expect(page.locator("h1")).to_have_text("Einen Moment noch.")
        expect(page.locator("main form .button")).to_be_enabled(timeout=30_000)
        page.click("main form .button")
        expect(page.locator("h1")).to_contain_text("Klick in deinem Postfach")
        assert [text for text in watched.trouble if "429" not in text] == []
    finally:
        running.stop()


def mailed(running: Running, kind: str, subject: str = "") -> str:
    """The link of the newest mail that carries one of this kind."""
    found: list[str] = []

    def look_for() -> bool:
        store = Store(running.data_dir)
        for mail in store.latest(limit=20):
            whole = store.get(mail.id)
            match = re.search(rf"http://127\.0\.0\.1:\d+(/{kind}/[\w.-]+)", whole.body("plain"))
            if match and subject in mail.subject:
                found.append(match[1])
                return True
        return False

    wait_for(look_for)
    return found[0]


def test_the_archive_is_searched_as_it_is_served(browser: Browser, running: Running) -> None:
    """Under the policy of the pages, with words that German bends, in every letter."""
    base = f"http://127.0.0.1:{running.port}/archive/saatbrief/"
    call(running.data_dir, "demo")
    wait_for(lambda: (running.data_dir / "archive" / "saatbrief" / "search" / "2026" / "pagefind.js").exists())
    watched = Watched(browser.new_context(locale="de-DE"), f"http://127.0.0.1:{running.port}")
    page = watched.page
    page.goto(base)
    page.fill("#q", "Bohne")
    page.click(".find button")
    expect(page.locator("#results li").first).to_be_visible()
    expect(page.locator("#status")).to_contain_text("Briefe passen.")
    assert page.locator("#results mark").count() > 0
    found = page.locator("#results a").first.get_attribute("href")
    page.fill("#q", "Quantencomputer")
    expect(page.locator("#status")).to_have_text("Dazu steht nichts in den Briefen.")
    page.goto(found if found.startswith("http") else f"http://127.0.0.1:{running.port}{found}")
    expect(page.locator("article h1")).to_be_visible()
    watched.check()


def test_a_letter_survives_a_server_that_goes_away(browser: Browser, running: Running) -> None:
    """Nothing typed is lost: the text waits in the browser until the server is back."""
    import json

    base = f"http://127.0.0.1:{running.port}"
    account = json.loads(call(running.data_dir, "demo", "--json").stdout)
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(f"{base}/admin/log-in")
    page.fill("#email", account["email"])
    page.fill("#password", account["password"])
    page.click("main .button")
    page.goto(f"{base}/admin/saatbrief/issues/")
    page.click("main .button")
    page.fill("#subject", "Ein Brief")
    page.click(".cm-content")
    context.set_offline(True)
    page.keyboard.type("Unterwegs getippt.")
    expect(page.locator("[data-status]")).to_contain_text("ist in diesem Browser aufgehoben")
    context.set_offline(False)
    expect(page.locator("[data-status]")).to_contain_text("Gespeichert um", timeout=20_000)
    page.reload()
    expect(page.locator(".cm-content")).to_contain_text("Unterwegs getippt.")
    context.close()


def test_c1_nothing_that_was_typed_acts_in_a_real_browser(browser: Browser, running: Running, tmp_path: Path) -> None:
    """The vectors of the sanitizer's test, seen by Chromium in every preview: no dialog, no request, no broken policy."""
    import json

    base = f"http://127.0.0.1:{running.port}"
    account = json.loads(call(running.data_dir, "demo", "--json").stdout)
    (tmp_path / "a.md").write_text("---\nsubject: Angriff\n---\n\n" + "\n\n".join(XSS), "utf-8")
    issue = json.loads(call(running.data_dir, "issue", "add", str(tmp_path / "a.md"), "--publication", "saatbrief", "--json").stdout)["id"]
    context = browser.new_context(locale="de-DE")
    watched = Watched(context, base)
    page = watched.page
    page.on("dialog", lambda dialog: (watched.trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(f"{base}/admin/log-in")
    page.fill("#email", account["email"])
    page.fill("#password", account["password"])
    page.click("main .button")
    for path in ("", "/preview/mail", "/preview/dark", "/preview/text", "/preview/web", "/send", "/versions/1"):
        page.goto(f"{base}/admin/saatbrief/issues/{issue}{path}")
        page.wait_for_timeout(200)
    watched.check()
    context.close()


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
