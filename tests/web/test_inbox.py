"""The inbox as editors use it, and what readers see of it."""

import io
import re
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.archive.building import run
from newsletter.archive.models import Build
from newsletter.conversations.models import Conversation, Message
from newsletter.conversations.receiving import receive
from newsletter.fetching import Web
from newsletter.inbound.actions import keep, settle
from newsletter.inbound.models import Arrival
from newsletter.inbound.understanding import understand
from newsletter.issues.models import ReaderLetter, Voice
from newsletter.issues.queries import feedback, votes
from newsletter.mail.incoming.letter import written
from newsletter.mail.incoming.mime import read
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.subscriptions.models import Subscription
from tests.conftest import Browser
from tests.media.test_images import picture
from tests.support import cast

AT = "/admin/saatbrief/inbox"


def mail(
    process: Process,
    text: str = "Liebe Mira,\r\n\r\nbei mir war Frost. Was nun?",
    *,
    sender: str = "ada@example.org",
    number: int = 1,
    more: str = "",
    raw: bytes = b"",
) -> int:
    """A mail of somebody; gives back its conversation."""
    head = f"From: Ada Lorenzen <{sender}>\r\nTo: mira@saatgarten.example\r\nSubject: Frost {number}\r\nMessage-ID: <{number}@x>\r\n{more}"
    raw = raw or f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()
    with process.writing() as session:
        arrival = keep(session, raw, door="imap", publication_id=1, now=process.clock())
        conversation = receive(session, get(session, 1), written(read(raw)), arrival_id=arrival, at=process.clock(), now=process.clock())
        settle(session, session.get_one(Arrival, arrival), "done", kind="reply")
        return conversation.id


@pytest.fixture
def ada(process: Process, mira: Browser) -> int:
    """Ada reads along."""
    return cast.reader(process, 1)


def text_of(response: object) -> str:
    return response.get_data(as_text=True)


def row(process: Process, number: int = 1) -> Conversation:
    with process.reading() as session:
        return session.get_one(Conversation, number)


def test_an_empty_inbox_says_what_comes_next(mira: Browser) -> None:
    page = text_of(mira.get(AT))
    assert "Noch hat niemand geantwortet." in page
    assert "Eine Tür öffnen" in page


def test_who_waits_stands_in_the_title_and_beside_the_contents(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    process.clock.forward(days=3)
    mira.log_in()
    page = text_of(mira.get(AT))
    assert "Ein Mensch wartet auf ein Wort von dir." in page
    assert "Am längsten wartet Ada Lorenzen, seit 3\u00a0Tagen." in page
    assert re.search(r'Antworten <span class="count">1</span>', page)
    assert "Ein Mensch wartet" in text_of(mira.get("/admin/saatbrief/"))


def test_an_answer_leaves_and_stands_in_the_conversation(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    page = text_of(mira.get(f"{AT}/1"))
    assert "bei mir war Frost" in page
    seen = re.search(r'name="seen" value="(\d+)"', page)[1]
    response = mira.post(f"{AT}/1/answer", {"text": "Abdecken!", "seen": seen, "close": "1"})
    assert response.status_code == 303
    assert row(process).state == "closed"
    page = text_of(mira.get(f"{AT}/1"))
    assert "Abdecken!" in page
    assert "Geht gleich los." in page
    with process.reading() as session:
        assert session.scalars(select(Message.state).where(Message.kind == "out")).all() == ["queued"]


def test_a_thank_you_is_one_press_and_can_be_taken_back(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    mira.post(f"{AT}/1/answer", {"thank": "1", "seen": "1"})
    assert "Danke für deine Zeilen!" in text_of(mira.get(f"{AT}/1"))
    page = text_of(mira.post(f"{AT}/1/2/withdraw"))
    assert "Danke für deine Zeilen!" in page
    assert row(process).state == "open"


def test_something_new_holds_an_answer_back_and_keeps_its_words(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    mail(process, number=2, more="In-Reply-To: <1@x>\r\n")
    response = mira.post(f"{AT}/1/answer", {"text": "Mein langer Text", "seen": "1"})
    assert response.status_code == 422
    assert "etwas Neues angekommen" in text_of(response)
    assert "Mein langer Text" in text_of(response)


def test_notes_tags_editors_and_states(mira: Browser, process: Process, ada: int) -> None:
    other = cast.editor(process, "jost@saatgarten.example", "editor")
    mail(process)
    for what, data in (
        ("note", {"text": "liegt bereit"}),
        ("labels", {"labels": "Frost, Rat"}),
        ("assign", {"editor": str(other)}),
        ("save", {"name": "Frost", "text": "Abdecken."}),
    ):
        assert mira.post(f"{AT}/1/{what}", data).status_code == 303
    page = text_of(mira.get(f"{AT}/1"))
    for words in ("liegt bereit", "Rat</a>", "zugeteilt an Jost", "Aufgehobene Antworten:"):
        assert words in page
    assert "Abdecken." in text_of(mira.get(f"{AT}/1?saved=1"))
    assert "Ada Lorenzen" in text_of(mira.get(f"{AT}?q=%23rat"))
    assert "Ada Lorenzen" not in text_of(mira.get(f"{AT}?q=%23rast"))
    mira.post(f"{AT}/1/close")
    assert row(process).state == "closed"
    mira.post(f"{AT}/1/reopen")
    assert row(process).state == "open"
    mira.post(f"{AT}/1/fold")
    assert "Ada Lorenzen" in text_of(mira.get(f"{AT}?place=spam"))
    mira.post(f"{AT}/1/unfold")
    assert row(process).place == "readers"
    mira.post(f"{AT}/1/save", {"forget": "1"})
    assert "Aufgehobene Antworten:" not in text_of(mira.get(f"{AT}/1"))


def test_empty_words_are_refused_with_a_sentence(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    for path, data in (("answer", {"text": " "}), ("note", {"text": ""}), ("save", {"name": "", "text": "x"}), ("save", {"name": "x", "text": ""})):
        assert mira.post(f"{AT}/1/{path}", data).status_code == 422


def test_opening_a_conversation_changes_nothing_until_the_page_says_it_was_read(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    mira.get(f"{AT}/1")
    assert row(process).unread
    assert mira.post(f"{AT}/1/read").status_code == 204
    assert not row(process).unread


def test_please_take_me_off_is_decided_by_a_person(mira: Browser, process: Process, ada: int) -> None:
    mail(process, "Bitte austragen!")
    assert "keine Briefe mehr möchte" in text_of(mira.get(f"{AT}/1"))
    mira.post(f"{AT}/1/leave")
    with process.reading() as session:
        assert session.get_one(Subscription, ada).state == "unsubscribed"
    assert row(process).suggestion == ""


def test_a_no_to_the_suggestion_leaves_everything_as_it_is(mira: Browser, process: Process, ada: int) -> None:
    mail(process, "Bitte austragen!")
    mira.post(f"{AT}/1/stay")
    with process.reading() as session:
        assert session.get_one(Subscription, ada).state == "active"
    assert row(process).suggestion == ""


def test_strangers_and_other_publications_are_kept_apart(mira: Browser, process: Process, ada: int) -> None:
    cast.publication(process, "zweite", name="Zweiter Brief", from_address="b@zweite.example")
    mail(process, sender="cleo@anderswo.example")
    assert "Ada Lorenzen" not in text_of(mira.get(AT))
    assert "unbekannte Adresse" in text_of(mira.get(f"{AT}?place=strangers"))
    assert mira.get("/admin/zweite/inbox/1").status_code == 404


@pytest.mark.parametrize("query", ["place=x", "state=x", "after=gestern_1"])
def test_addresses_that_make_no_sense_are_not_there(mira: Browser, query: str) -> None:
    assert mira.get(f"{AT}?{query}").status_code == 404


HOSTILE = """<p onclick="x()">Hallo <b>Mira</b></p><script>alert(1)</script><style>p{}</style><a href="javascript:x()">da</a><a href="https://gut.example/">dort</a>
<img src="https://zaehler.example/pixel.gif?wer=ada" width="1" height="1"><img src="https://bilder.example/bohne.png"><img src="cid:eins" alt="Bohne"><iframe src="https://x.example"></iframe>
<form action="https://x.example"><input></form><svg onload="x()"></svg><img src=x onerror=alert(1)><div style="position:fixed">oben</div>"""


def rich(data: bytes = b"") -> bytes:
    """A mail with HTML and a picture in it."""
    from base64 import encodebytes

    picture_part = b'--g\r\nContent-Type: image/png; name="../../bohne.png"\r\nContent-Transfer-Encoding: base64\r\n'
    picture_part += b"Content-ID: <eins>\r\nContent-Disposition: inline\r\n\r\n"
    return (
        b"From: Ada <ada@example.org>\r\nSubject: bunt\r\nMessage-ID: <bunt@x>\r\nContent-Type: multipart/related; boundary=g\r\n\r\n"
        b"--g\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HOSTILE.encode() + b"\r\n" + picture_part + encodebytes(data or picture()) + b"\r\n"
        b'--g\r\nContent-Type: text/html; name="rechnung.html"\r\nContent-Disposition: attachment\r\n\r\n<script>alert(1)</script>\r\n--g--\r\n'
    )


def test_hostile_html_is_shown_without_its_teeth_and_without_pictures(mira: Browser, process: Process, ada: int) -> None:
    mail(process, raw=rich())
    page = text_of(mira.get(f"{AT}/1?rich=1"))
    shown = page[page.index('class="prose formatted"') : page.index("So, wie") if "So, wie" in page else page.index("Nur die Worte")]
    assert "<b>Mira</b>" in shown
    assert 'href="https://gut.example/"' in shown
    for tooth in ("script", "onclick", "javascript:", "style", "iframe", "<form", "svg", "onerror", "<img", "zaehler.example"):
        assert tooth not in shown, tooth
    assert "2 Bilder werden nicht gezeigt." in page


def test_pictures_are_shown_when_asked_fetched_and_made_anew_by_us(mira: Browser, process: Process, ada: int) -> None:
    mail(process, raw=rich())
    page = text_of(mira.get(f"{AT}/1?rich=1&images=1"))
    sources = re.findall(r'<img[^>]+src="([^"]+/picture/[^"]+)"', page)
    assert sources == [f"{AT}/1/1/picture/0", f"{AT}/1/1/picture/1"]
    assert "zaehler.example" not in page
    response = mira.get(f"{AT}/1/1/picture/1")
    assert response.content_type in ("image/png", "image/jpeg")
    assert response.data[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
    # The other one lies on a server that does not exist; nothing is shown, and nobody else is asked.
    assert mira.get(f"{AT}/1/1/picture/0").status_code == 404
    assert mira.get(f"{AT}/1/1/picture/9").status_code == 404


def test_a_picture_on_a_server_of_our_own_network_is_not_fetched() -> None:
    from newsletter.conversations.showing import picture_of

    part = read(b'Content-Type: text/html\r\n\r\n<img src="http://127.0.0.1:8000/admin/"><img src="http://169.254.169.254/x.png">')
    assert picture_of(part, 0, Web()) is None
    assert picture_of(part, 1, Web()) is None


def test_attachments_are_saved_and_never_opened(mira: Browser, process: Process, ada: int) -> None:
    mail(process, raw=rich())
    page = text_of(mira.get(f"{AT}/1"))
    assert "rechnung.html" in page
    assert "bohne.png" in page
    assert "../" not in page
    for number in (1, 2):
        response = mira.get(f"{AT}/1/attachment/{number}")
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment;")
        assert "/" not in response.headers["Content-Disposition"].partition("filename=")[2]
        assert "sandbox" in response.headers["Content-Security-Policy"]
    assert mira.get(f"{AT}/1/attachment/2?shown=1").status_code == 404
    assert mira.get(f"{AT}/1/attachment/1?shown=1").content_type in ("image/png", "image/jpeg")
    assert mira.get(f"{AT}/1/attachment/99").status_code == 404


def test_a_zip_bomb_stays_packed(mira: Browser, process: Process, ada: int) -> None:
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("null", b"\0" * 30_000_000)
    raw = rich(packed.getvalue()).replace(b"image/png", b"application/zip").replace(b"bohne.png", b"bombe.zip")
    mail(process, raw=raw)
    response = mira.get(f"{AT}/1/attachment/1")
    assert len(response.data) == len(packed.getvalue())
    assert mira.get(f"{AT}/1/attachment/1?shown=1").status_code == 404


def test_a_viewer_does_not_read_other_peoples_mail(app: Flask, process: Process, ada: int) -> None:
    cast.editor(process, "gast@saatgarten.example", "viewer")
    mail(process)
    guest = Browser(app.test_client())
    guest.log_in("gast@saatgarten.example")
    assert guest.get(AT).status_code == 403
    assert guest.get(f"{AT}/1").status_code == 403
    assert "Antworten</a>" not in text_of(guest.get("/admin/saatbrief/"))


# --- Reader letters ---------------------------------------------------------------------------------------------


@pytest.fixture
def letter(process: Process, mira: Browser, ada: int) -> int:
    """Ada has answered a letter that stands in the archive."""
    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        from newsletter.issues.models import Issue

        issue = session.get_one(Issue, issue_id)
        issue.state, issue.number, issue.published_at = "published", 1, process.clock()
    number = mail(process, "Liebe Mira,\r\n\r\n<b>Frost</b> war auch hier.\r\n\r\nPrivates: meine Hüfte.")
    with process.writing() as session:
        session.get_one(Conversation, number).issue_id = issue_id
    return number


def asked(mira: Browser, process: Process) -> str:
    """The address in the mail that asks."""
    assert mira.post(f"{AT}/1/1/letter", {"text": "<b>Frost</b> war auch hier."}).status_code == 303
    with process.reading() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "reader")).one()
        assert notice.recipient == "ada@example.org"
        assert notice.facts["text"] == "<b>Frost</b> war auch hier."
        return str(notice.facts["link"]).removeprefix("http://localhost")


def built(process: Process) -> str:
    """The page of the letter as the archive has it, once everything that was asked for is built."""
    with process.reading() as session:
        waiting = session.scalars(select(Build.id).where(Build.state == "queued")).all()
    for number in waiting:
        run(process, number)
    return next((process.settings.archive_dir / "saatbrief").rglob("die-erste-bohne/index.html")).read_text("utf-8")


def test_a_readers_letter_stands_in_the_archive_only_after_she_has_said_yes(mira: Browser, client: FlaskClient, process: Process, letter: int) -> None:
    address = asked(mira, process)
    page = text_of(client.get(address))
    assert "Dürfen andere deine Zeilen lesen?" in page
    assert "Hüfte" not in page
    assert client.post(address, data={"agree": "yes", "name": " "}).status_code == 422
    with process.reading() as session:
        assert session.scalars(select(ReaderLetter.state)).one() == "asked"
    assert "unter dem Namen Ada L." in text_of(client.post(address, data={"agree": "yes", "name": "Ada L."})).replace("Unter", "unter")
    html = built(process)
    assert "&lt;b&gt;Frost&lt;/b&gt; war auch hier." in html
    assert "Ada L." in html
    client.post(address, data={"agree": "no"})
    html = built(process)
    assert "war auch hier" not in html


def test_a_no_is_a_no_and_nobody_asks_twice(mira: Browser, client: FlaskClient, process: Process, letter: int) -> None:
    address = asked(mira, process)
    assert "Es wird nichts veröffentlicht." in text_of(client.post(address, data={"agree": "no"}))
    response = mira.post(f"{AT}/1/1/letter", {"text": "noch einmal"})
    assert response.status_code == 422
    assert "Soll nicht unter dem Brief stehen." in text_of(mira.get(f"{AT}/1"))


def test_only_answers_to_a_letter_can_become_one(mira: Browser, process: Process, ada: int) -> None:
    mail(process)
    assert mira.post(f"{AT}/1/1/letter", {"text": "x"}).status_code == 422


def test_an_address_of_nobody_is_not_there(client: FlaskClient, process: Process) -> None:
    assert client.get("/reader-letter/x").status_code == 404


# --- Small questions --------------------------------------------------------------------------------------------


def poll(process: Process, mira: Browser) -> str:
    """A letter with a poll, and Ada's key to her own page."""
    from newsletter.issues.models import Issue

    issue_id = cast.issue(process, 1, markdown="Text\n\n::: umfrage Welche?\n- Hedwig\n- Beide\n:::\n")
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        issue.state, issue.number, issue.published_at = "published", 1, process.clock()
        get(session, 1).ask_feedback = True
        return cast.leave_link(session, subscription_id=1, now=process.clock())


def test_an_answer_is_pressed_and_counts_once_for_each_person(mira: Browser, client: FlaskClient, process: Process, ada: int) -> None:
    secret = poll(process, mira)
    at = f"/m/{secret}/say/1/1"
    assert "Hedwig" in text_of(client.get(f"{at}/1"))
    with process.reading() as session:
        assert votes(session, 1) == {}
    proof = re.search(r'name="shown" value="([^"]+)"', text_of(client.get(f"{at}/1")))[1]
    assert client.post(f"{at}/1", data={"shown": proof}).status_code == 422  # quicker than anybody reads
    assert client.post(f"{at}/1", data={"shown": "nichts"}).status_code == 422
    time.sleep(2.1)
    for choice in (1, 1, 2):
        assert "Danke" in text_of(client.post(f"{at}/{choice}", data={"shown": proof}))
    with process.reading() as session:
        assert votes(session, 1) == {(1, 2): 1}
        voice = session.scalars(select(Voice)).one()
        assert voice.fingerprint == process.tokens.fingerprints("voice", f"1-1-{ada}")[0]


def test_what_a_letter_was_worth_is_shown_as_sums_and_more_words_begin_a_conversation(mira: Browser, client: FlaskClient, process: Process, ada: int) -> None:
    secret = poll(process, mira)
    proof = re.search(r'name="shown" value="([^"]+)"', text_of(client.get(f"/m/{secret}/say/1/0/2")))[1]
    time.sleep(2.1)
    client.post(f"/m/{secret}/say/1/0/2", data={"shown": proof})
    with process.reading() as session:
        assert feedback(session, 1) == {2: 1}
    assert client.post(f"/m/{secret}/say/1/0/2", data={"words": " "}).status_code == 422
    assert "Deine Worte sind angekommen." in text_of(client.post(f"/m/{secret}/say/1/0/2", data={"words": "Kürzer wäre schöner."}))
    found = row(process)
    assert (found.place, found.issue_id, found.preview, found.email) == ("readers", 1, "Kürzer wäre schöner.", "ada@example.org")
    for _ in range(9):
        client.post(f"/m/{secret}/say/1/0/2", data={"words": "noch mehr"})
    with process.reading() as session:
        assert len(session.scalars(select(Conversation)).all()) == 5


@pytest.mark.parametrize("path", ["1/0/4", "1/0/0", "1/9/1", "1/1/9", "99/0/1"])
def test_questions_that_nobody_asked_are_not_there(mira: Browser, client: FlaskClient, process: Process, ada: int, path: str) -> None:
    secret = poll(process, mira)
    assert client.get(f"/m/{secret}/say/{path}").status_code == 404


def test_l8_a_mail_names_its_reader_only_behind_her_own_page(process: Process, mira: Browser, ada: int) -> None:
    from newsletter.issues.composition import compose
    from newsletter.issues.models import Issue

    poll(process, mira)
    with process.reading() as session:
        parts = compose(session, get(session, 1), session.get_one(Issue, 1), process.links, process.clock()).parts
    assert parts.html.count("\ue010manage\ue011/say/1/1/") == 2
    assert parts.html.count("\ue010manage\ue011/say/1/0/") == 3
    assert "/v/" not in parts.html
    assert "War dieser Brief deine Zeit wert?" in parts.text


# --- Doors and what came back -----------------------------------------------------------------------------------


def test_a_mailbox_is_entered_read_and_forgotten(mira: Browser, process: Process) -> None:
    at = "/admin/saatbrief/returns/doors"
    wrong = mira.post(f"{at}/mailbox", {"host": "", "port": "993", "security": "tls", "username": "a", "password": "b"})
    assert wrong.status_code == 422
    good = {"host": "imap.example.org", "port": "993", "security": "tls", "username": "mira", "password": "streng geheim"}
    assert mira.post(f"{at}/mailbox", good).status_code == 303
    page = text_of(mira.get(at))
    assert "imap.example.org" in page
    assert "streng geheim" not in page
    mira.post(f"{at}/mailbox", {"forget": "1"})
    assert 'value="imap.example.org"' not in text_of(mira.get(at))


def test_a_webhook_is_made_called_and_deleted(mira: Browser, client: FlaskClient, process: Process) -> None:
    at = "/admin/saatbrief/returns/doors"
    assert mira.post(f"{at}/hooks", {"provider": "mailgun", "key": ""}).status_code == 422
    mira.post(f"{at}/hooks", {"provider": "brevo"})
    found = re.search(r"http://(brieftaube:[^@]+)@localhost(/hooks/brevo/[\w-]+)", text_of(mira.get(at)))
    from base64 import b64encode

    key = {"Authorization": "Basic " + b64encode(found[1].encode()).decode()}
    event = {"event": "spam", "email": "ada@example.org"}
    assert client.post(found[2], json=event).status_code == 403
    assert client.post(found[2], json=event, headers=key).status_code == 200
    assert client.post(found[2] + "x", json=event, headers=key).status_code == 404
    assert client.post(found[2], data=b"x" * 3_000_000, headers=key).status_code == 413
    assert "abgewiesen" not in text_of(mira.get(at))
    mira.post(f"{at}/hooks/1/delete")
    assert client.post(found[2], json=event, headers=key).status_code == 404


def test_what_was_put_aside_can_be_read_tried_again_and_thrown_away(mira: Browser, process: Process) -> None:
    with process.writing() as session:
        number = keep(
            session, b"From: x@y.example\r\nTo: nobody@z.example\r\nSubject: <b>fremd</b>\r\n\r\n<script>1</script>", door="pipe", now=process.clock()
        )
    understand(process, number)
    page = text_of(mira.get("/admin/saatbrief/returns"))
    assert "&lt;b&gt;fremd&lt;/b&gt;" in page
    assert "für keinen der Briefe" in page
    response = mira.get(f"/admin/saatbrief/returns/arrivals/{number}")
    assert response.content_type.startswith("text/plain")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert mira.post(f"/admin/saatbrief/returns/arrivals/{number}/again").status_code == 303
    understand(process, number)
    mira.post(f"/admin/saatbrief/returns/arrivals/{number}/gone")
    assert mira.get(f"/admin/saatbrief/returns/arrivals/{number}").status_code == 404
