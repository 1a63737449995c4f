"""What became of a letter, from what is known anyway, beside the ten before it. Nobody is followed for it (L8)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.announcements.queries import of_issue as posts_of
from newsletter.deliveries import queries
from newsletter.deliveries.models import Mailing
from newsletter.growth.queries import between
from newsletter.i18n import Speech, mark
from newsletter.issues.models import Issue
from newsletter.issues.queries import votes
from newsletter.spreadsheets import line
from newsletter.subscriptions.models import Subscription

# What happens within a week of a letter is counted with it; later it is more likely another one's doing.
WEEK = timedelta(days=7)
COMPARED = 10


@dataclass(frozen=True)
class Report:
    """One letter in numbers. What happened in the week after it is told by day (UTC), of the whole list."""

    mailing: Mailing
    issue: Issue
    counts: dict[str, int]
    left: int
    paused: int
    joined: int
    answered: int
    votes: int
    visits: int
    brought: int
    complete: bool

    @property
    def accepted(self) -> int:
        return self.counts["accepted"]

    @property
    def refused(self) -> int:
        return self.counts["refused"] + self.counts["expired"]

    @property
    def open(self) -> int:
        """Deferred, or in hands."""
        return sum(self.counts[state] for state in ("planned", "claimed", "handing_over", "deferred"))

    def share(self, number: int) -> float:
        """A number of a hundred readers."""
        return 100 * number / self.accepted if self.accepted else 0.0


# The columns of the comparison: a name, and how to read it.
COLUMNS = (
    ("accepted", mark("Accepted")),
    ("refused", mark("Refused")),
    ("uncertain", mark("Uncertain")),
    ("left", mark("Left")),
    ("paused", mark("Paused")),
    ("joined", mark("Came")),
    ("answered", mark("Wrote back")),
    ("votes", mark("Answers of polls")),
    ("visits", mark("Visits by posts")),
    ("brought", mark("Came by posts")),
)


def value_of(report: Report, column: str) -> int:
    """A number of a report by its name."""
    return report.counts["uncertain"] if column == "uncertain" else int(getattr(report, column))


def report_of(session: Session, mailing: Mailing, issue: Issue, now: datetime) -> Report:
    """The report of one mailing."""
    begin = mailing.started_at or mailing.created_at
    following = _next(session, mailing)
    end = min(begin + WEEK, following or now, now)
    days = begin.astimezone(UTC).date(), end.astimezone(UTC).date()
    posts = posts_of(session, issue.id)
    resting = Subscription.publication_id == mailing.publication_id, Subscription.state == "paused"
    span = Subscription.paused_at >= begin, Subscription.paused_at <= end
    return Report(
        mailing=mailing,
        issue=issue,
        counts=queries.counts(session, mailing.id),
        left=between(session, mailing.publication_id, "left", *days),
        paused=session.scalar(select(func.count()).select_from(Subscription).where(*resting, *span)) or 0,
        joined=between(session, mailing.publication_id, "joined", *days),
        answered=between(session, mailing.publication_id, "answered", *days),
        votes=sum(votes(session, issue.id).values()),
        visits=sum(visits for visits, _ in posts),
        brought=sum(joined for _, joined in posts),
        complete=now - begin >= WEEK or following is not None,
    )


def _next(session: Session, mailing: Mailing) -> datetime | None:
    query = select(func.min(Mailing.started_at)).where(Mailing.publication_id == mailing.publication_id, Mailing.id > mailing.id)
    return session.scalar(query)


def before(session: Session, mailing: Mailing, now: datetime) -> list[Report]:
    """The reports of the ten mailings before one, newest first."""
    rows = session.execute(
        select(Mailing, Issue)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(Mailing.publication_id == mailing.publication_id, Mailing.id < mailing.id, Issue.kind == "letter", Mailing.started_at.is_not(None))
        .order_by(Mailing.id.desc())
        .limit(COMPARED)
    )
    return [report_of(session, one, issue, now) for one, issue in rows]


def usual(reports: Sequence[Report], column: str) -> float | None:
    """The middle of the ten for a hundred readers, or None where there are too few to speak of."""
    values = [report.share(value_of(report, column)) for report in reports if report.accepted]
    return median(values) if len(values) >= 3 else None


def as_csv(reports: Iterable[Report], speech: Speech) -> Iterator[str]:
    """Reports line by line, with a byte order mark so that spreadsheets read them as UTF-8."""
    yield "\ufeff" + line([speech("Number of the letter"), speech("Subject"), speech("Sent on"), speech("Audience"), *(speech(label) for _, label in COLUMNS)])
    for report in reports:
        moment = (report.mailing.started_at or report.mailing.created_at).isoformat(timespec="seconds")
        numbers = [str(value_of(report, column)) for column, _ in COLUMNS]
        yield line([str(report.issue.number or ""), report.issue.subject, moment, str(report.mailing.audience), *numbers])
