"""What leaves a page as a file."""

from collections.abc import Iterable, Iterator

from newsletter.deliveries.models import Delivery
from newsletter.i18n import Speech
from newsletter.spreadsheets import line
from newsletter.subscriptions.models import Subscriber


def missed_as_csv(rows: Iterable[tuple[Delivery, Subscriber | None]], speech: Speech) -> Iterator[str]:
    """Who did not get a letter, line by line, with a byte order mark so that spreadsheets read it as UTF-8."""
    yield "\ufeff" + line([speech("Address"), speech("Name"), speech("State"), speech("Code"), speech("The server said"), speech("Time")])
    for delivery, subscriber in rows:
        name = subscriber.name if subscriber else ""
        reply = speech.reason(delivery.reply)
        yield line([delivery.canonical, name, delivery.state, str(delivery.code or ""), reply, delivery.changed_at.isoformat(timespec="seconds")])
