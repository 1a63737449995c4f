"""Handing one notice to the mail server."""

import logging

from newsletter.mail.addresses import parse
from newsletter.mail.conversation import Conversation
from newsletter.mail.dkim import KeyBroken
from newsletter.mail.replies import Reply, about_us
from newsletter.mail.smtp import Phase, SmtpError, server
from newsletter.notices import actions
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.keys import signed
from newsletter.transports import throttles
from newsletter.transports.queries import all_in_use

log = logging.getLogger(__name__)


def send(process: Process, notice_id: int) -> None:
    """Send a notice, once it is claimed; write down what became of it."""
    with process.writing() as session:
        notice = actions.claim(session, notice_id, now=process.clock())
        health = throttles.health(session)
        used = all_in_use(session, process.settings, process.tokens)
        # Whoever waits for a confirmation, or for the news that a mailing stopped, gets it by a server that works.
        address = next((one for one in used if not health.get(one.id, {}).get("stopped")), used[0]).address
    if notice is None:
        return
    try:
        with process.reading() as session:
            raw = signed(session, process.tokens, parse(notice.sender).domain, actions.bytes_of(session, notice))
        reply = _hand_over(process, address, notice, raw)
    except KeyBroken as error:
        # A confirmation is worth more than a signature (I4), but somebody should know.
        log.error("notice %s waits: %s", notice_id, error)
        with process.writing() as session:
            actions.put_off(session, notice_id, why=str(error), final=False, now=process.clock())
        return
    except SmtpError as error:
        log.warning("notice %s was not taken (%s): %s", notice_id, error.phase, error)
        with process.writing() as session:
            actions.put_off(session, notice_id, why=f"{error.phase}: {error}", final=_final(error), now=process.clock())
        return
    with process.writing() as session:
        actions.accept(session, notice_id, reply=reply, raw=raw, now=process.clock())


def _hand_over(process: Process, address: str, notice: Notice, raw: bytes) -> Reply:
    with Conversation(server(address), process.settings.bounce_domain) as conversation:
        conversation.offer(notice.sender, parse(notice.recipient), raw)
        return conversation.dot()


def _final(error: SmtpError) -> bool:
    # Only a refusal of this recipient or this content is final; trouble with the server passes.
    return error.reply is not None and error.reply.permanent and error.phase in (Phase.RCPT, Phase.DOT) and not about_us(error.reply)
