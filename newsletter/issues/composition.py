"""An issue as it will be seen: one Document, made into mail, text and web page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.i18n import Speech
from newsletter.issues import policy, queries
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.media.queries import pictures
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base, greeting_of
from newsletter.rendering import merge
from newsletter.rendering.document import Document, make_document
from newsletter.rendering.findings import Finding
from newsletter.rendering.mail import Frame, MailParts, final, to_mail
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
    document = make_document(issue.markdown, language, pictures(session, publication.id))
    subject = merge.fill(merge.mark(typeset(issue.subject.strip(), language)), {}, str)
    preheader = merge.fill(merge.mark(typeset(issue.preheader.strip(), language)), {}, str)
    number = issue.number or queries.next_number(session, publication.id)
    parts = to_mail(document, subject, preheader, _frame(publication, issue, number, links, at), links.media)
    return Composition(
        document=document,
        subject=subject,
        preheader=preheader,
        parts=parts,
        web=to_web(document, greeting_of(publication)),
        findings=tuple(policy.findings(issue, publication, document, len(parts.html.encode()))),
    )


def web_address(publication: Publication, issue: Issue, links: Links) -> str:
    """Where an issue can be read: in the archive, or, while the archive does not show it, behind a signed address."""
    if (issue.visibility or publication.visibility) in ("public", "unlisted"):
        return f"{archive_base(publication, links)}{issue.slug}/"
    return links.read(issue.id)


def _frame(publication: Publication, issue: Issue, number: int, links: Links, at: datetime) -> Frame:
    speech = Speech(publication.language, publication.timezone)
    return Frame(
        language=publication.language,
        name=publication.name,
        byline=publication.byline,
        date_line=speech("No. %(number)s · %(date)s", number=number, date=speech.weekday(at)) if issue.kind == "letter" else speech.weekday(at),
        why=speech("You get “%(name)s” because you asked for it and confirmed that.", name=publication.name),
        leave_label=speech("Unsubscribe"),
        manage_label=speech("Pause or less often"),
        archive_label=speech("Read in the archive"),
        archive_url=web_address(publication, issue, links) if issue.kind == "letter" else archive_base(publication, links),
        imprint=tuple(publication.imprint_lines()),
    )
