"""The writing desk in a real browser: by keyboard alone, offline, in two tabs, after the log-in has ended."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from newsletter.catcher.store import Store
from tests.browser.test_journey import Watched, look
from tests.media.test_images import picture
from tests.support import chromium
from tests.test_run import Running, call

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.browser() as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("desk") / "data", undo_seconds=3)
    found.account = json.loads(call(found.data_dir, "demo", "--json").stdout)
    yield found
    found.stop()


@pytest.fixture
def context(browser: Browser, running: Running) -> Iterator[BrowserContext]:
    found = browser.new_context(locale="de-DE", base_url=f"http://127.0.0.1:{running.port}", permissions=["clipboard-read", "clipboard-write"])
    log_in(found.new_page(), running)
    yield found
    found.close()


def log_in(page: Page, running: Running) -> Page:
    page.goto("/admin/log-in")
    page.fill("#email", running.account["email"])
    page.fill("#password", running.account["password"])
    page.click("main .button")
    expect(page).to_have_url(re.compile("/admin/"))
    return page


@pytest.fixture
def page(context: BrowserContext) -> Page:
    found = context.pages[0]
    found.goto("/admin/saatbrief/issues/")
    found.click("main .button")
    ready(found)
    return found


def ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-desk", "ready")


def text_of(page: Page) -> str:
    return str(page.eval_on_selector("textarea[name=markdown]", "field => field.value"))


def holds(page: Page, words: str, timeout: int = 20_000) -> None:
    expect(page.locator("textarea[name=markdown]")).to_have_value(re.compile(re.escape(words)), timeout=timeout)


def saved(page: Page) -> None:
    expect(page.locator("[data-status]")).to_contain_text("Gespeichert um", timeout=15_000)


def focus(page: Page) -> None:
    page.click(".cm-content")


def paste(page: Page, html: str, plain: str = "") -> None:
    page.evaluate(
        """([html, plain]) => {
          const data = new DataTransfer();
          if (html) data.setData("text/html", html);
          data.setData("text/plain", plain);
          document.querySelector(".cm-content").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        [html, plain],
    )


def test_a_letter_is_written_by_keyboard_alone(page: Page) -> None:
    page.focus("#subject")
    page.keyboard.type("Der erste Reif")
    page.keyboard.press("Tab")
    page.keyboard.type("Und was er mit dem Rosenkohl macht.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("/anrede")
    page.keyboard.press("Enter")
    page.keyboard.type("es ist ")
    page.keyboard.press("Control+b")
    page.keyboard.type("kalt")
    page.keyboard.press("Control+b")
    page.keyboard.press("End")
    page.keyboard.type("\n\n/knopf")
    page.keyboard.press("Enter")
    page.keyboard.type("Zum Katalog")
    page.keyboard.press("Control+End")
    page.keyboard.type("\n- Bohnen\nErbsen\n\n")
    assert "{{ anrede }}," in text_of(page)
    assert "**kalt**" in text_of(page)
    assert "[Zum Katalog](https://){ .button }" in text_of(page)
    assert "- Bohnen\n- Erbsen\n" in text_of(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("gliederung")
    page.keyboard.press("Enter")
    expect(page.locator("[data-outline]")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("zeigen nur text")
    page.keyboard.press("Enter")
    expect(page.frame_locator("[data-frame]").locator("pre")).to_contain_text("Guten Morgen Mira")
    saved(page)


def test_the_menu_closes_by_escape_and_the_slash_stays(page: Page) -> None:
    focus(page)
    page.keyboard.type("/")
    expect(page.locator("[data-menu]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-menu]")).to_be_hidden()
    page.keyboard.type("usr/bin und 1/2")
    assert text_of(page) == "/usr/bin und 1/2"


def test_the_preview_keeps_its_place_while_one_types(page: Page) -> None:
    focus(page)
    page.keyboard.insert_text("\n\n".join(f"Absatz {number} mit ein paar Worten." for number in range(120)))
    frame = page.frame_locator("[data-frame]")
    expect(frame.locator("body")).to_contain_text("Absatz 119")
    inner = page.query_selector("[data-frame]").content_frame()
    inner.evaluate("scrollTo(0, 900)")
    page.keyboard.type(" Noch ein Satz.")
    expect(frame.locator("body")).to_contain_text("Noch ein Satz.")
    assert inner.evaluate("scrollY") == 900


def test_rich_text_and_cells_become_markdown(page: Page) -> None:
    focus(page)
    paste(page, "<h2>Titel</h2><p>Ein <strong>Wort</strong> und ein <a href='https://saatgarten.example/'>Link</a></p>", "Titel")
    holds(page, "**Wort**")
    assert text_of(page) == "## Titel\n\nEin **Wort** und ein [Link](https://saatgarten.example/)"
    page.keyboard.press("Control+End")
    page.keyboard.type("\n\n")
    paste(page, "", "Sorte\tKilo\nHedwig\t31")
    holds(page, "| Hedwig | 31 |")


def test_five_megabytes_of_hostile_html_are_pasted_and_nothing_acts(page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    focus(page)
    paste(page, "<p>Ende der Welt</p>" + "<img src=x onerror=alert(1)><b>x</b>" * 120_000 + "<script>alert(2)</script>", "x")
    holds(page, "Ende der Welt", 60_000)
    assert dialogs == []


def test_a_picture_that_is_dropped_shows_its_way_and_stands_where_it_fell(page: Page, tmp_path: Path) -> None:
    focus(page)
    page.keyboard.insert_text("Oben.\n\nUnten.")
    (tmp_path / "bohne.png").write_bytes(picture("PNG", (900, 450)))
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.set_input_files("[data-file]", tmp_path / "bohne.png")
    page.keyboard.press("Control+End")
    page.keyboard.type(" Weiter getippt.")
    holds(page, "/media/")
    assert re.fullmatch(r"Oben\.\n\n!\[Was auf dem Bild zu sehen ist\]\(/media/\w+\.(?:png|jpg)\)\n\nUnten\. Weiter getippt\.", text_of(page))


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(page: Page, tmp_path: Path) -> None:
    focus(page)
    (tmp_path / "bild.png").write_bytes(b"<html><script>alert(1)</script></html>")
    page.set_input_files("[data-file]", tmp_path / "bild.png")
    expect(page.locator("[data-status]")).to_contain_text("kein Bild")
    assert text_of(page) == ""


def test_two_tabs_write_and_both_changes_stay(page: Page, context: BrowserContext) -> None:
    focus(page)
    page.keyboard.insert_text("Eins.\n\nZwei.\n\nDrei.")
    saved(page)
    other = context.new_page()
    other.goto(page.url)
    ready(other)
    focus(other)
    other.keyboard.press("Control+End")
    other.keyboard.type(" Aus dem zweiten Tab.")
    saved(other)
    focus(page)
    page.keyboard.press("Control+Home")
    page.keyboard.type("Aus dem ersten Tab. ")
    expect(page.locator("[data-merged]")).to_contain_text("Jemand anderes hat gleichzeitig geschrieben.")
    assert text_of(page) == "Aus dem ersten Tab. Eins.\n\nZwei.\n\nDrei. Aus dem zweiten Tab."


def test_after_the_log_in_has_ended_writing_goes_on_and_is_saved_after_the_next_one(page: Page, context: BrowserContext, running: Running) -> None:
    focus(page)
    page.keyboard.type("Vorher. ")
    saved(page)
    context.clear_cookies()
    page.keyboard.type("Nachher.")
    expect(page.locator("[data-status]")).to_contain_text("Anmeldung ist abgelaufen")
    log_in(context.new_page(), running)
    expect(page.locator("[data-status]")).to_contain_text("Gespeichert um", timeout=15_000)
    address = page.url
    fresh = context.new_page()
    fresh.goto(address)
    ready(fresh)
    assert text_of(fresh) == "Vorher. Nachher."


def test_a_tab_that_was_closed_offline_gives_its_text_back(page: Page, context: BrowserContext) -> None:
    focus(page)
    page.keyboard.type("Am Netz. ")
    saved(page)
    address = page.url
    context.set_offline(True)
    page.keyboard.type("Ohne Netz.")
    expect(page.locator("[data-status]")).to_contain_text("in diesem Browser aufgehoben")
    page.close(run_before_unload=False)
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    ready(again)
    again.click("[data-back]")
    assert text_of(again) == "Am Netz. Ohne Netz."
    saved(again)


def test_what_was_typed_can_be_undone_after_a_reload(page: Page) -> None:
    focus(page)
    page.keyboard.insert_text("Erster Gedanke.")
    page.wait_for_timeout(700)
    page.keyboard.insert_text(" Zweiter Gedanke.")
    saved(page)
    page.reload()
    ready(page)
    focus(page)
    page.keyboard.press("Control+z")
    assert text_of(page) == "Erster Gedanke."


def test_words_are_found_and_replaced(page: Page) -> None:
    focus(page)
    page.keyboard.insert_text("Bohne, Bohne, Erbse")
    page.keyboard.press("Control+f")
    page.fill(".cm-search [name=search]", "Bohne")
    page.fill(".cm-search [name=replace]", "Linse")
    page.click(".cm-search [name=replaceAll]")
    assert text_of(page) == "Linse, Linse, Erbse"


def test_right_to_left_and_emoji_are_kept_and_saved(page: Page) -> None:
    focus(page)
    page.keyboard.insert_text("שלום 👩‍🌾 Ümläute – fertig")
    saved(page)
    page.reload()
    ready(page)
    assert text_of(page) == "שלום 👩‍🌾 Ümläute – fertig"


def test_l12_the_studio_is_accessible(context: BrowserContext, running: Running) -> None:
    watched = Watched(context, f"http://127.0.0.1:{running.port}")
    page = watched.page
    for name, path in (("help", "help/writing"), ("snippets", "snippets"), ("desk", "issues/")):
        page.goto(f"/admin/saatbrief/{path}")
        if name == "desk":
            page.click("main .button")
            ready(page)
            page.click("[data-deed=outline]")
            page.click("[data-remark] summary")
        look(page, chromium.axe(), name)
    watched.check()


def test_the_menu_of_blocks_is_accessible(page: Page) -> None:
    focus(page)
    page.keyboard.type("/")
    look(page, chromium.axe(), "menu")


def test_a_reader_answers_a_poll_without_script_and_without_a_name(browser: Browser, running: Running, tmp_path: Path) -> None:
    poll = "::: umfrage Welche Bohne?\n- Hedwig\n- Die Gute\n:::\n"
    (tmp_path / "poll.md").write_text(f"---\nsubject: Eine Frage\npreheader: Kurz.\n---\n\nHallo.\n\n{poll}", "utf-8")
    issue = json.loads(call(running.data_dir, "issue", "add", str(tmp_path / "poll.md"), "--publication", "saatbrief", "--json").stdout)["id"]
    call(running.data_dir, "issue", "send", str(issue), "--wait", base_url=f"http://127.0.0.1:{running.port}")
    store = Store(running.data_dir)
    mail = next(one for one in store.latest() if "Eine Frage" in one.subject)
    link = re.findall(r"http://\S+/say/\S+", store.get(mail.id).body("plain"))[1]
    seen = browser.new_context(locale="de-DE").new_page()
    seen.goto(link)
    look(seen, chromium.axe(), "poll")
    public = browser.new_context(locale="de-DE", java_script_enabled=False)
    page = public.new_page()
    page.goto(link)
    expect(page.locator("h1")).to_have_text("Die Gute")
    page.wait_for_timeout(2100)
    page.click("main .button")
    expect(page.locator("h1")).to_have_text("Danke. Sie ist gezählt.")
    page.fill("#words", "Die Gute, weil sie hält, was sie heißt.")
    page.click("main form .button")
    expect(page.locator("h1")).to_have_text("Danke. Deine Worte sind angekommen.")
    assert public.cookies() == []
    public.close()
