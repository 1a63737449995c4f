"""Handing one notice to the mail server."""

import logging

from newsletter.mail.addresses import parse
from newsletter.mail.dkim import KeyBroken
from newsletter.mail.smtp import SmtpError
from newsletter.notices import actions
from newsletter.process import Process
from newsletter.publications.keys import signed
from newsletter.transports.single import hand_over, is_final, working

log = logging.getLogger(__name__)


def send(process: Process, notice_id: int) -> None:
    """Send a notice, once it is claimed; write down what became of it."""
    with process.writing() as session:
        notice = actions.claim(session, notice_id, now=process.clock())
        address = working(session, process.settings, process.tokens)
    if notice is None:
        return
    try:
        with process.reading() as session:
            raw = signed(session, process.tokens, parse(notice.sender).domain, actions.bytes_of(session, notice))
        reply = hand_over(address, process.settings.bounce_domain, notice.sender, parse(notice.recipient), raw)
    except KeyBroken as error:
        # A confirmation is worth more than a signature (I4), but somebody should know.
        log.error("notice %s waits: %s", notice_id, error)
        with process.writing() as session:
            actions.put_off(session, notice_id, why=str(error), final=False, now=process.clock())
        return
    except SmtpError as error:
        log.warning("notice %s was not taken (%s): %s", notice_id, error.phase, error)
        with process.writing() as session:
            actions.put_off(session, notice_id, why=f"{error.phase}: {error}", final=is_final(error), now=process.clock())
        return
    with process.writing() as session:
        actions.accept(session, notice_id, reply=reply, raw=raw, now=process.clock())
