"""What an issue must be before it goes out. Decided without I/O."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from archive_site.visibility import Shown, decide
from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.mail.headers import guard
from newsletter.preflight.letter import check_size, check_subject
from newsletter.publications.models import Publication
from newsletter.rendering import merge
from newsletter.rendering.document import Document
from newsletter.rendering.findings import Finding

LONGEST_SUBJECT = 200
LONGEST_SNIPPET = 20_000
LONGEST_TEXT = 5_000_000  # stored, though rendering refuses it long before: nothing typed is lost
KEEP_REVISION_FOR = timedelta(minutes=3)  # quick saves of one person become one version

# A start that was missed by more than this is asked about and not made up for (I12).
LATE = timedelta(hours=1)


def listed_from(publication: Publication, issue: Issue) -> datetime | None:
    """From when on a delayed issue is public."""
    if issue.listed_from is not None or issue.published_at is None:
        return issue.listed_from
    return issue.published_at + timedelta(days=publication.delay_days)


def shown(publication: Publication, issue: Issue, now: datetime) -> Shown:
    """How the archive shows an issue at a moment; the archive itself asks the same function."""
    if issue.state != "published" or issue.published_at is None:
        return Shown.HIDDEN
    return decide(issue.visibility or publication.visibility, issue.published_at, listed_from(publication, issue), now)


def findings(issue: Issue, publication: Publication, document: Document, html_size: int) -> list[Finding]:
    """Everything that speaks against sending, errors first."""
    found = list(document.findings)
    found += merge.unknown_fields(issue.subject) + merge.unknown_fields(issue.preheader)
    if not issue.subject.strip():
        found.append(Finding("subject-empty", "error", mark("The subject is empty."), mark("Say in a few words what the letter is about.")))
    if not document.blocks and not any(finding.level == "error" for finding in document.findings):
        found.append(Finding("text-empty", "error", mark("The text is empty."), mark("Write something first.")))
    found += _headers(issue, publication)
    if not publication.imprint_complete:
        found.append(
            Finding(
                "imprint-missing", "error", mark("The imprint is not complete."), mark("Name, street, town and mail address belong into every mail (§ 5 DDG).")
            )
        )
    found += check_size(html_size)
    found += check_subject(issue.subject)
    if issue.subject and not issue.preheader.strip():
        found.append(
            Finding(
                "preheader-empty",
                "warning",
                mark("The preview text is empty."),
                mark("It stands behind the subject in the inbox; without it the first words of the letter stand there."),
            )
        )
    return sorted(found, key=lambda finding: finding.level != "error")


def _headers(issue: Issue, publication: Publication) -> list[Finding]:
    found = []
    for what, value in (("subject", issue.subject), ("sender", publication.from_name), ("name", publication.name)):
        try:
            guard(value, what)
        except Refused as error:
            found.append(
                Finding(
                    f"{what}-characters", "error", error.message, mark("Type it anew; it probably came along with something pasted."), values=dict(error.values)
                )
            )
    return found


def refusal(finding: Finding) -> Refused:
    """A finding as an error, for those who want to go on regardless."""
    error = Refused(finding.text, field=finding.id, hint=finding.fix)
    error.values = finding.values
    return error


def moment_from(text: str, zone: str) -> datetime:
    """A moment from a date and time as people type it in a zone; DST is the zone's business (I12).

    Raises:
        Refused: it cannot be read, or the clock skips it that night.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(mark("“%(text)s” is not a date and time."), field="at", text=text[:40]) from error
    if moment.tzinfo is not None:
        return moment
    local = moment.replace(tzinfo=ZoneInfo(zone))
    there_and_back = local.astimezone(ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if there_and_back != moment:
        raise Refused(mark("The clock skips that hour in this night. Choose another one."), field="at")
    return local
