"""One mail of an issue as bytes, for nobody in particular."""

from datetime import datetime

from newsletter.issues.composition import Composition
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, Sender, compose
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base, greeting_of


def sample(publication: Publication, composition: Composition, links: Links, at: datetime, *, recipient: str = "", name: str = "", subject: str = "") -> bytes:
    """The mail as it would leave, with an unsubscribe address that belongs to nobody.

    Args:
        recipient: who it is for; the publication's own address when empty.
        subject: another subject than the issue's.
    """
    address = parse(publication.from_address)
    leave_url = links.leave("preview")
    parts = composition.for_reader(name, greeting_of(publication), leave_url)
    letter = Letter(
        sender=Sender(publication.from_name, address, None, publication.list_id, publication.name),
        recipient=parse(recipient) if recipient else address,
        subject=subject or composition.subject or "-",
        text=parts.text,
        html=parts.html,
        reference="preview",
        leave_url=leave_url,
        archive_url=archive_base(publication, links),
    )
    return compose(letter, at)
