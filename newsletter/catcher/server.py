"""The SMTP side of the catcher, by aiosmtpd."""

import asyncio
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.catcher.store import Store
from newsletter.errors import SettingsError


class Keeper:
    """Takes every mail for everybody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd finds it by this name
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        await asyncio.to_thread(self._store.keep, envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 2.0.0 kept"


async def serve(data_dir: Path, port: int) -> None:
    """Catch mail on 127.0.0.1 until cancelled.

    Raises:
        SettingsError: the port is taken.
    """
    store = Store(data_dir)
    await asyncio.to_thread(store.prepare)
    loop = asyncio.get_running_loop()
    handler = Keeper(store)

    def session() -> SMTP:
        return SMTP(handler, enable_SMTPUTF8=True, hostname="localhost", data_size_limit=30 * 1024 * 1024, loop=loop)

    try:
        server = await loop.create_server(session, "127.0.0.1", port)
    except OSError as error:
        raise SettingsError(f"The mail catcher cannot listen on port {port}: {error.strerror or error}.") from error
    # Commands that run beside it find it by this.
    (data_dir / "catcher.port").write_text(str(port), "ascii")
    async with server:
        await server.serve_forever()
