"""The transport that the founder chose on the page."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Transport(Base):
    """A mail server. The address holds a password, so it is stored encrypted (P6)."""

    __tablename__ = "transports"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(2000))
    changed_at: Mapped[datetime]
