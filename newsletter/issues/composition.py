"""An issue as it will be seen: one Document, made into mail, text and web page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.i18n import Speech, mark
from newsletter.issues import policy, queries
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.media.queries import pictures
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base, greeting_of
from newsletter.rendering import merge
from newsletter.rendering.document import Document, make_document
from newsletter.rendering.findings import Finding
from newsletter.rendering.look import Look
from newsletter.rendering.mail import MANAGE, Frame, MailParts, final, to_mail
from newsletter.rendering.outside import Outside
from newsletter.rendering.typography import typeset
from newsletter.rendering.web import to_web


@dataclass(frozen=True)
class Composition:
    """Everything that an issue becomes."""

    document: Document
    subject: str
    preheader: str
    parts: MailParts
    web: str
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")

    def for_reader(self, name: str, greeting: str, leave_url: str) -> MailParts:
        """The mail as one person gets it."""
        return final(self.parts, merge.values_of(name, greeting), leave_url)


def compose(session: Session, publication: Publication, issue: Issue, links: Links, at: datetime) -> Composition:
    """Render an issue once for everybody.

    Args:
        at: the date that stands in the head of the letter.
    """
    language = publication.language
    shelf = queries.shelf(session, publication, issue, links)
    document = make_document(issue.markdown, language, pictures(session, publication.id), shelf.snippets, shelf.cards)
    subject = merge.fill(merge.mark(typeset(issue.subject.strip(), language)), {}, str)
    preheader = merge.fill(merge.mark(typeset(issue.preheader.strip(), language)), {}, str)
    number = issue.number or queries.next_number(session, publication.id)
    frame = _frame(publication, issue, subject, number, links, at)
    parts = to_mail(document, subject, preheader, frame, links.media)
    return Composition(
        document=document,
        subject=subject,
        preheader=preheader,
        parts=parts,
        web=to_web(document, greeting_of(publication), outside=on_the_web(publication, issue, subject, links)),
        findings=tuple(policy.findings(issue, publication, document, len(parts.html.encode()))),
    )


def web_address(publication: Publication, issue: Issue, links: Links) -> str:
    """Where an issue can be read: in the archive, or, while the archive does not show it, behind a signed address."""
    if (issue.visibility or publication.visibility) in ("public", "unlisted"):
        return f"{archive_base(publication, links)}{issue.slug}/"
    return links.read(issue.id)


def on_the_web(publication: Publication, issue: Issue, subject: str, links: Links) -> Outside:
    """Where the parts of an issue lead on its page. Answers go to the address of the imprint, which stands there anyway (L7)."""
    return Outside(issue.language or publication.language, subject, web_address(publication, issue, links), publication.imprint_email, poll_of(issue, links))


def poll_of(issue: Issue, links: Links) -> Callable[[int, int], str]:
    """Addresses of the answers of its polls."""
    issue_id = issue.id
    return lambda poll, choice: links.vote(issue_id, poll, choice)


def own_poll_of(issue: Issue) -> Callable[[int, int], str]:
    """The same in a mail, below the reader's own page: there each of her answers counts once (L8: no other address holds who she is)."""
    issue_id = issue.id
    return lambda poll, choice: f"{MANAGE}/say/{issue_id}/{poll}/{choice}"


def _asks(publication: Publication, issue: Issue) -> tuple[tuple[str, str], ...]:
    """Three answers to whether a letter was worth reading, where the publication asks."""
    if not publication.ask_feedback or issue.kind != "letter":
        return ()
    speech, address = Speech(publication.language), own_poll_of(issue)
    return tuple((speech(words), address(0, number)) for number, words in enumerate(FEEDBACK, 1))


FEEDBACK = (mark("Very much"), mark("Some of it"), mark("Not this time"))


def look_of(publication: Publication, links: Links) -> Look:
    """How the mails of a publication look."""
    return Look(
        layout=publication.mail_layout,
        accent=publication.mail_accent or Look.accent,
        paper=publication.mail_paper or Look.paper,
        font=publication.mail_font,
        logo=links.media(f"/media/{publication.mail_logo}") if publication.mail_logo else "",
        logo_width=publication.mail_logo_width,
        footer=tuple(line.strip() for line in publication.mail_footer.splitlines() if line.strip()),
    )


def _frame(publication: Publication, issue: Issue, subject: str, number: int, links: Links, at: datetime) -> Frame:
    speech = Speech(publication.language, publication.timezone)
    address = web_address(publication, issue, links)
    return Frame(
        language=publication.language,
        name=publication.name,
        byline=publication.byline,
        date_line=speech("No. %(number)s · %(date)s", number=number, date=speech.weekday(at)) if issue.kind == "letter" else speech.weekday(at),
        why=speech("You get “%(name)s” because you asked for it and confirmed that.", name=publication.name),
        leave_label=speech("Unsubscribe"),
        manage_label=speech("Pause or less often"),
        archive_label=speech("Read in the archive"),
        archive_url=address if issue.kind == "letter" else archive_base(publication, links),
        imprint=tuple(publication.imprint_lines()),
        look=look_of(publication, links),
        outside=Outside(publication.language, subject, address, publication.reply_to or publication.from_address, own_poll_of(issue)),
        feedback=_asks(publication, issue),
    )
