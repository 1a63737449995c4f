"""One mail by itself, beside the ledger of letters: by a mail server that works, and whether a refusal is the last word."""

from sqlalchemy.orm import Session

from newsletter.mail.addresses import Address
from newsletter.mail.conversation import Conversation
from newsletter.mail.replies import Reply, about_us
from newsletter.mail.smtp import Phase, SmtpError, server
from newsletter.settings import Settings
from newsletter.tokens import Tokens
from newsletter.transports import throttles
from newsletter.transports.queries import all_in_use


def working(session: Session, settings: Settings, tokens: Tokens) -> str:
    """The address of a mail server that was not stopped; of the first one, where all were.

    Whoever waits for a confirmation, or for the news that a mailing stopped, gets it by a server that works.
    """
    health = throttles.health(session)
    used = all_in_use(session, settings, tokens)
    return next((one for one in used if not health.get(one.id, {}).get("stopped")), used[0]).address


def hand_over(address: str, name: str, sender: str, recipient: Address, raw: bytes) -> Reply:
    """Give a mail to a server, from greeting to goodbye.

    Args:
        name: what we call ourselves.

    Raises:
        SmtpError: it was not taken, or nobody knows.
    """
    with Conversation(server(address), name) as conversation:
        conversation.offer(sender, recipient, raw)
        return conversation.dot()


def is_final(error: SmtpError) -> bool:
    """Only a refusal of this recipient or this content is the last word; trouble with the server passes."""
    return error.reply is not None and error.reply.permanent and error.phase in (Phase.RCPT, Phase.DOT) and not about_us(error.reply)
