"""Transports: the mail servers in use, and how fast each may be used."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Transport(Base):
    """A mail server. The address holds a password, so it is stored encrypted (P6).

    ``weight`` is its share among several; 0 means that it only steps in when the others cannot. ``count`` mails may
    leave in ``seconds``. From ``warm_up_from`` on, a new server is used a little more every day.
    """

    __tablename__ = "transports"
    __table_args__ = (CheckConstraint("weight >= 0", name="weight"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(2000))
    weight: Mapped[int] = mapped_column(default=1)
    count: Mapped[int | None]
    seconds: Mapped[int | None]
    warm_up_from: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime]


class Bucket(Base):
    """How much may leave by one transport for one provider, and how much has (I9).

    ``transport_id`` is 0 for a server that the settings name, and -1 for everything together (SEND_RATE).
    ``provider`` is empty for the transport as a whole, whose row also says how it is doing. ``count`` in ``seconds`` is
    the limit; ``learned`` when a provider's patience taught it and no person. ``ease`` is the part of it that is used
    for the moment. ``stopped`` means that somebody has to look first. ``next_at`` is the theoretical arrival time of the generic cell rate
    algorithm: when the next mail could leave if everything had left evenly.
    """

    __tablename__ = "buckets"

    transport_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    provider: Mapped[str] = mapped_column(String(254), primary_key=True)
    count: Mapped[int | None]
    seconds: Mapped[int | None]
    learned: Mapped[bool] = mapped_column(default=False)
    ease: Mapped[float] = mapped_column(default=1.0)
    next_at: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    setbacks: Mapped[int] = mapped_column(default=0)
    stopped: Mapped[bool] = mapped_column(default=False)
    trouble: Mapped[str] = mapped_column(String(500), default="")
    day: Mapped[date | None] = mapped_column(Date)
    used: Mapped[int] = mapped_column(default=0)
