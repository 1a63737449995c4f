"""Tallies."""

from datetime import date

from sqlalchemy import Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

KINDS = ("joined", "left", "asked", "machine", "scanner", "held", "short", "answered", "heard", "brought")


class Tally(Base):
    """How often something happened on one day (UTC). ``channel_id`` 0 stands for no known way.

    Counted in the transaction in which it happens, so that a chart over years is read from a few thousand rows; and
    it stays true after a person was forgotten, because nobody's name is in it. joined and left: subscriptions; asked:
    sign-ups; machine: sign-ups that were none; scanner: visits to the pages behind mails that changed nothing (A2);
    held: sign-ups in quarantine; short: readers who left within 90 days, on the day they had joined; answered: readers who
    wrote back for the first time; heard: what readers say themselves about where they heard of it; brought: readers
    who came by another reader's share link.
    """

    __tablename__ = "tallies"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    channel_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(default=0)
