"""What readers have written back: the bridge has to be walked on, or it is none."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.accounts.models import Editor
from newsletter.conversations import actions
from newsletter.conversations.letters import decide
from newsletter.conversations.models import Conversation, Message
from newsletter.conversations.receiving import receive
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.inbound.actions import keep, settle
from newsletter.inbound.models import Arrival
from newsletter.issues.margins import say
from newsletter.issues.models import Issue, ReaderLetter
from newsletter.mail.incoming.letter import written
from newsletter.mail.incoming.mime import read
from newsletter.publications.models import Publication
from newsletter.subscriptions.models import Subscriber
from newsletter.tokens import Tokens, digest, new_secret

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Line:
    """One mail. ``hours`` ago it came; ``answer`` came ``after`` hours, and closed it."""

    text: str
    hours: float
    answer: str = ""
    after: float = 0
    labels: str = ""
    note: str = ""
    picture: str = ""
    closed: bool = True


LINES = (
    Line(
        "Liebe Mira,\n\nmeine Bohnen hängen noch grün an der Stange, und für Donnerstag ist Frost angesagt. Soll ich sie samt Ranke abschneiden und in den Schuppen hängen, "
        "oder sind sie dann hin?\n\nUnd noch etwas: Habt ihr im Januar wieder Hedwigs Bohne? Ich würde gern drei Tütchen vorbestellen, für mich und die Nachbarin.",
        75, labels="Vorbestellung", note="Hedwigs Bohne ist ab 10. Januar abgefüllt, drei Tütchen sind kein Problem. Ich lege sie zurück.",
    ),
    Line("Guten Morgen,\n\nhier ein Foto von Omas Kommode mit den Samentütchen. Darf in den Brief, wenn du magst.", 49, picture="kommode.png"),
    Line("Unser Gartenverein fragt, ob du im Februar einen Abend über Saatgut machst. Wir sind etwa dreißig Leute, und Kuchen gibt es auch.", 26, labels="Vortrag"),
    Line("Bei mir stand auf der Tüte Aussaat ab April, du schreibst März. Was stimmt denn nun?", 21),
    Line("Bitte austragen, wir ziehen um und haben keinen Garten mehr. Schön war es!", 9),
    Line("Liebe Mira,\n\ndie Schaufel aus dem Brief habe ich bestellt, sie ist großartig. Danke, dass du so etwas schreibst und nicht nur verkaufst.", 190, "Danke dir, das freut Jost besonders, er hat sie ausgesucht.", 5),
    Line("Wie lange halten sich Pastinakensamen? Meine sind von 2023 und wollen nicht.", 260, "Leider nur ein Jahr gut, im zweiten keimt noch ein Drittel. Nimm frische, und sei geduldig: drei Wochen sind normal.", 9, closed=False),
    Line("Ich habe den Brief meiner Mutter vorgelesen, sie ist 91 und kannte die Sorte noch aus Schlesien. Sie lässt grüßen.", 420, "Wie schön! Grüß sie zurück. Weiß sie noch, wie die Bohne dort hieß?", 14),
    Line("Kann man die Tomatenkerne auch einfach auf Küchenpapier trocknen?", 800, "Ja, beschrifte das Papier gleich und säe es im Frühjahr einfach mit aus.", 7),
    Line("Der Link zum Keimkalender geht bei mir nicht auf.", 1100, "Danke für den Hinweis, jetzt geht er wieder.", 2),
)  # fmt: skip
STRANGER = "Guten Tag,\n\nwir vermehren in der Lausitz alte Roggensorten und würden gern tauschen. Wen spreche ich da am besten an?"
SPAM = "Sehr geehrter Webmaster, mit unserem Paket stehen Sie nächste Woche auf Platz 1. Antworten Sie mit JA."


def load(session: Session, tokens: Tokens, publication: Publication, now: datetime) -> None:
    """Conversations about the last letters: open, answered, closed; a stranger, spam, and a letter that stands in the archive."""
    chance = random.Random(11)  # noqa: S311 -- a believable inbox needs no secrets
    editor = session.scalars(select(Editor).order_by(Editor.id)).first()
    assert editor is not None
    for number, line in enumerate(LINES):
        _talk(session, publication, editor.id, number, line, now)
    _letter_to_us(session, publication, "Roland Kiefer", "roland@roggenhof.example", "Tausch von Roggensorten", STRANGER, now - timedelta(hours=4), now)
    _letter_to_us(session, publication, "SEO Team", "team@rang-eins.example", "Platz 1", SPAM, now - timedelta(hours=30), now, "X-Spam-Flag: YES")
    _sorted_out(session, publication, now)
    _reader_letter(session, publication, now)
    _thought(session, tokens, publication, chance)
    actions.save_answer(
        session, publication.id, name="Wann welche Tütchen kommen", text="Liebe …,\n\nim Januar füllen wir ab, dann steht alles im Laden.\n\nHerzlich\nMira"
    )


def _letters(session: Session, publication: Publication, at: datetime) -> tuple[Issue, list[tuple[Delivery, Subscriber]]]:
    """The letter that was the last one at a moment, and who got it."""
    query = select(Mailing, Issue).join(Issue, Issue.id == Mailing.issue_id).where(Mailing.publication_id == publication.id, Mailing.created_at < at)
    row = session.execute(query.order_by(Mailing.created_at.desc()).limit(1)).first()
    assert row is not None
    mailing, issue = row
    got = (
        select(Delivery, Subscriber)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.mailing_id == mailing.id, Delivery.state == "accepted")
    )
    return issue, [(one[0], one[1]) for one in session.execute(got.order_by(Delivery.id))]


def _talk(session: Session, publication: Publication, editor_id: int, number: int, line: Line, now: datetime) -> None:
    at = now - timedelta(hours=line.hours)
    issue, readers = _letters(session, publication, at)
    delivery, subscriber = readers[(number * 17 + 5) % len(readers)]
    first = subscriber.name.split(" ")[0]
    quote = f"Am {at - timedelta(days=1):%d.%m.%Y} um 09:00 schrieb {publication.from_name}:\n> Guten Morgen {first},\n>\n> {issue.preheader}\n"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"{subscriber.name} <{subscriber.email}>", publication.from_address, f"Re: {issue.subject}"
    mail["Date"], mail["Message-ID"] = format_datetime(at), f"<antwort{number}@{subscriber.email.rpartition('@')[2]}>"
    mail["In-Reply-To"] = f"<{delivery.reference}@{publication.from_address.rpartition('@')[2]}>"
    mail.set_content(f"{line.text}\n\nViele Grüße\n{first}\n\n{quote}")
    if line.picture:
        mail.add_attachment((HERE / "images" / line.picture).read_bytes(), maintype="image", subtype="png", filename=line.picture)
    conversation = _take(session, publication, mail.as_bytes(), at)
    if line.labels:
        actions.label(session, conversation, line.labels)
    if line.note:
        actions.note(session, conversation, text=line.note, editor_id=editor_id, now=at + timedelta(hours=20))
    if line.answer:
        told = at + timedelta(hours=line.after)
        answer = actions.answer(
            session, publication, conversation, text=f"Liebe Grüße zurück, {first}!\n\n{line.answer}\n\nMira", editor_id=editor_id, close=line.closed, now=told
        )
        answer.state, answer.next_attempt_at, answer.attempts, answer.reply = "accepted", None, 1, "250 2.0.0 Ok: queued"


def _take(session: Session, publication: Publication, raw: bytes, at: datetime) -> Conversation:
    arrival = keep(session, raw, door="imap", publication_id=publication.id, now=at)
    assert arrival is not None
    conversation = receive(session, publication, written(read(raw)), arrival_id=arrival, at=at, now=at)
    assert conversation is not None
    settle(session, session.get_one(Arrival, arrival), "done", kind="reply")
    return conversation


def _letter_to_us(
    session: Session, publication: Publication, name: str, email: str, subject: str, text: str, at: datetime, now: datetime, field: str = ""
) -> None:
    head = f"From: {name} <{email}>\r\nTo: {publication.from_address}\r\nSubject: {subject}\r\nDate: {format_datetime(at)}\r\nMessage-ID: <{digest(email)[:12]}@x>\r\n"
    body = text.replace("\n", "\r\n")
    raw = f"{head}{field + chr(13) + chr(10) if field else ''}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode()
    _take(session, publication, raw, at)


def _sorted_out(session: Session, publication: Publication, now: datetime) -> None:
    for number in range(14):
        at = now - timedelta(hours=3 + number * 17)
        raw = f"From: gast{number}@example.org\r\nSubject: Abwesenheitsnotiz\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <{number}@weg>\r\n\r\nIch bin nicht da.\r\n".encode()
        arrival = keep(session, raw, door="imap", publication_id=publication.id, now=at)
        if arrival is not None:
            settle(session, session.get_one(Arrival, arrival), "done", kind="auto-reply")


def _reader_letter(session: Session, publication: Publication, now: datetime) -> None:
    """The mother of 91 years may be read by everybody."""
    message = session.scalar(select(Message).where(Message.text.contains("vorgelesen")))
    assert message is not None
    conversation = session.get_one(Conversation, message.conversation_id)
    assert conversation.issue_id is not None
    letter = ReaderLetter(
        publication_id=publication.id, issue_id=conversation.issue_id, conversation_id=conversation.id, message_id=message.id, digest=digest(new_secret()),
        text=message.text.split("\n\nViele")[0], name="", wording="Dürfen diese Zeilen unter dem Brief stehen?", language=publication.language, asked_at=message.at,
    )  # fmt: skip
    session.add(letter)
    session.flush()
    decide(session, letter, agree=True, name=f"{message.name.split(' ')[0]}, aus Görlitz", now=message.at + timedelta(hours=30))


def _thought(session: Session, tokens: Tokens, publication: Publication, chance: random.Random) -> None:
    """What some thought of the last two letters."""
    publication.ask_feedback = True
    issues = session.scalars(
        select(Issue).where(Issue.publication_id == publication.id, Issue.state == "published").order_by(Issue.number.desc()).limit(2)
    ).all()
    for issue in issues:
        for person in range(1, chance.randint(24, 38)):
            say(session, tokens, issue_id=issue.id, question=0, subscription_id=person, choice=chance.choices((1, 2, 3), (7, 3, 1))[0])
