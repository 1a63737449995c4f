"""What a failure means for a delivery and for its mailing. Decided without I/O (RULES S1, S5, D2, I8)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.mail.replies import about_us
from newsletter.mail.smtp import Phase, SmtpError
from newsletter.transports import policy as transports

BATCH = 20
LARGEST_BATCH = 1000
# Renewed every two seconds while the sender lives, also while it waits ten minutes for an answer (S3).
LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=48)
MESSAGES_PER_CONNECTION = 100
REFUSALS_OF_SENDER = 3  # D4: this many in a row and the mailing stops by itself

# Phases before a recipient was named: their failures say nothing about anybody (D2).
OF_THE_SESSION = {Phase.CONNECT, Phase.GREETING, Phase.EHLO, Phase.STARTTLS, Phase.AUTH, Phase.MAIL}

RETRY = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2), timedelta(hours=4))
BACK_OFF = (timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=10))


# L6: after such a silence people do not expect a letter any more (AG München 161 C 12736/22), or have not for long.
LONG_SILENCE = timedelta(days=548)
TOO_LONG_SILENCE = timedelta(days=1461)


def silence(last: datetime | None, now: datetime) -> str:
    """What the time since the last letter means: nothing, "long" or "too long"."""
    if last is None or now - last <= LONG_SILENCE:
        return ""
    return "too long" if now - last > TOO_LONG_SILENCE else "long"


@dataclass(frozen=True)
class Verdict:
    """What follows from a failure.

    ``state`` is what the delivery becomes. ``blame`` is recipient, server (wait and come back) or sender
    (stop the mailing, something is wrong with us).
    """

    state: str
    blame: str


def judge(error: SmtpError) -> Verdict:
    """What a failed transaction means."""
    reply = error.reply
    if error.phase in OF_THE_SESSION:
        refused_us = reply is not None and reply.permanent
        return Verdict("planned", "sender" if refused_us else "server")
    if reply is None:
        # Before the dot nothing was delivered (RFC 5321 §4.1.1.10); after it nobody knows.
        return Verdict("uncertain", "recipient") if error.phase is Phase.DOT else Verdict("planned", "server")
    if reply.code == 421:
        return Verdict("deferred", "server")
    if not reply.permanent or (reply.code == 552 and error.phase is Phase.RCPT):
        # 552 at RCPT once meant "too many recipients", which passes (RFC 5321 §4.5.3.1.10).
        return Verdict("deferred", "recipient")
    if about_us(reply):
        return Verdict("planned", "sender")
    return Verdict("refused", "recipient")


def wants_patience(error: SmtpError) -> bool:
    """Whether the recipient's provider asks to be left alone for a while."""
    return error.phase not in OF_THE_SESSION and transports.wants_patience(error.reply)


def retry_at(attempts: int, now: datetime) -> datetime:
    """When a deferred delivery is tried again."""
    return now + RETRY[min(attempts, len(RETRY)) - 1 if attempts else 0]


def back_off(setbacks: int, now: datetime) -> datetime:
    """When a mailing comes back to a server that did not answer."""
    return now + BACK_OFF[min(setbacks, len(BACK_OFF) - 1)]
