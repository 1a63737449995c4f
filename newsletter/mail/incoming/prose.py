"""Bounces that machines write for people: qmail, older Exim, GMX, 1&1, mail clients' gateways and many more.

No family is recognised here. What all of them have in common is used: a text before the copy of the mail, with
addresses, each followed or preceded by the reason.
"""

import re

from newsletter.mail.incoming.reasons import Reason, codes_in, reason_for
from newsletter.mail.incoming.reports import Recipient, shortened

# Where the copy of our own mail begins; nothing behind it is a reason.
_COPY = re.compile(
    r"^(?:[ >]*)(?:"
    r"-{2,}[^\n]{0,12}(?:below this line|this is a copy|the header of|original message|returned message|unsent message|message (?:headers?|text|follows)|undelivered message|forwarded)"
    r"|(?:below is a copy|original message (?:follows|headers)|message headers follow|this is a copy|the original message|kopie (?:der|ihrer)|-*\s*original(?:nachricht|e nachricht))[^\n]{0,60}:?\s*$"
    r"|return-path: |received: ?from |received: ?by |received: ?\(|x-received:|dkim-signature: |arc-seal: |mime-version: |message-id: ?<"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]")
_AT_START = re.compile(
    r"^[\s>*:|\"'<(\[-]{0,40}(?:[45]\d\d[ -])?(?:(?:recipient|to|rcpt to|address|an|user|failed recipient|final-recipient: ?rfc822;|the following address(?:es)? failed:?|unknown user|invalid recipient|unable to deliver message to)(?:\s*:\s*|\s+))?[\"'<(\[]{0,4}("
    + _ADDRESS.pattern
    + r")",
    re.IGNORECASE,
)
LONGEST = 60_000
RECIPIENTS = 50

_STILL = re.compile(
    r"still being retried|will (?:be )?(?:continue|keep|retr|try)|no action is required|delayed|not yet been delivered|warning: message|noch nicht zugestellt|wird (?:weiter|erneut)|delivery (?:to the following )?[^.\n]{0,40}has been delayed",
    re.IGNORECASE,
)


def before_the_copy(text: str) -> str:
    """The part of a bounce that explains, without the copy of our mail behind it."""
    text = text[:LONGEST]
    found = _COPY.search(text)
    if found is None:
        return text
    # A few begin with the header of the mail and explain below it.
    return text[: found.start()] if text[: found.start()].strip() else text


def still_trying(text: str) -> bool:
    """Whether a text says that the mail is only late."""
    return bool(_STILL.search(text))


def recipients(text: str, named: list[str], ours: set[str], *, final: bool) -> list[Recipient]:
    """What a text says of each address.

    Args:
        text: what stands before the copy.
        named: addresses that a header field names (X-Failed-Recipients).
        ours: addresses that cannot be meant: who wrote the report and who gets it.
        final: whether they gave up.
    """
    found = []
    for address, words in _chunks(text, named, ours):
        reason = reason_for(_with_phase(words), final=final)
        if reason.name == "unclear":
            reason = reason_for(_with_phase(text), final=final)
        if not final and reason.kind in ("dead", "unclear"):
            reason = Reason("expired")
        found.append(Recipient(address, reason.kind, reason.name, *_codes(words), shortened(kernel_of(words)), final))
    if not found:
        kernel = _with_phase(text)
        reason = reason_for(kernel, final=final)
        found.append(Recipient("", reason.kind, reason.name, *_codes(kernel), shortened(kernel), final))
    return found[:RECIPIENTS]


def _with_phase(words: str) -> str:
    """The kernel, with the step of the conversation in front where it is told."""
    kernel = kernel_of(words)
    step = _STEP.search(words)
    return f"{step[0]} {kernel}" if step and step[0] not in kernel else kernel


_STEP = re.compile(r"(?:after|in reply to|in response to)\s+(?:pipelined\s+)?(?:MAIL|HELO|EHLO)\b", re.IGNORECASE)


def _codes(words: str) -> tuple[str, int]:
    code, status = codes_in(words)
    return status, code


def _chunks(text: str, named: list[str], ours: set[str]) -> list[tuple[str, str]]:
    """Each address with the words that belong to it: from its line up to the line of the next one."""
    lines = text.split("\n")
    starts: list[tuple[int, str]] = []
    known = {address.lower() for address in named}
    for number, line in enumerate(lines):
        match = _AT_START.match(line[:600])
        if match is None and known:
            inside = _ADDRESS.search(line)
            match = inside if inside and inside[0].lower() in known else None
        if match is None:
            continue
        address = match[match.lastindex or 0]
        if address.lower() in ours and address.lower() not in known:
            continue
        if all(address.lower() != other.lower() for _, other in starts):
            starts.append((number, address))
        if len(starts) >= RECIPIENTS:
            break
    sections: list[tuple[str, str]] = []
    for position, (number, address) in enumerate(starts):
        end = starts[position + 1][0] if position + 1 < len(starts) else len(lines)
        # A transcript names the address behind the reply: what follows belongs to the next one.
        end = number + 1 if ">... " in lines[number] else end
        sections.append((address, "\n".join(lines[number:end])))
    if not sections:
        sections = [(address, text) for address in named]
    if not sections:
        others = [
            one
            for one in _ADDRESS.findall(text)
            if one.lower() not in ours and not one.lower().startswith(("postmaster@", "mailer-daemon@", "support@", "abuse@"))
        ]
        sections = [(others[0], text)] if others else []
    return sections


_BOILERPLATE = re.compile(
    r"(?:this is (?:a permanent error|the (?:mail|qmail)[^.]{0,80})|this message was created automatically[^.]{0,80}|a message that you (?:sent|have sent) (?:could|has)[^.]{0,120}"
    r"|could not be delivered to (?:one or more|all)[^.]{0,80}|the following address(?:es|\(es\))?[^:]{0,60}:|i'?m (?:afraid|sorry)[^.]{0,160}|sorry it didn't work out|i've given up|giving up on [\d.a-f:]+"
    r"|for further assistance[^.]{0,160}|if you do so[^.]{0,160}|your message|please (?:check|try|contact|do not reply|visit|see)[^.]{0,160}|delivery to the following recipients?[^.:]{0,80}:?"
    r"|smtp error from remote (?:mail )?server[^:]{0,40}|host [\w.-]+ \[[\d.a-f:]+\]:?|technical details of[^:]{0,40}:|\bx-[\w-]+: [^\n]*|^\s*(?:subject|date|to|from|sent|cc): [^\n]*|for explanation visit\s+\S+)",
    re.IGNORECASE | re.MULTILINE,
)


def kernel_of(text: str) -> str:
    """A text without what stands in every bounce and means nothing; from the words of the other server on, where there are some."""
    kept = _BOILERPLATE.sub(" ", text)
    for mark in ("<<< ", "said:", "responded with", "reason:", "Diagnostic-Code:", "Remote Server returned"):
        at = kept.find(mark)
        if at >= 0:
            return kept[at : at + 2000]
    return kept
