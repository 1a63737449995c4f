"""What ``brieftaube smtpd`` does: the development mail catcher, and the door for mails that come back."""

import asyncio
import contextlib
import signal

from newsletter.settings import Settings


def listen(given: Settings) -> None:
    """Listen until somebody says stop.

    The catcher keeps what we send, unless there is a real mail server to send it; the door is there where INBOUND says so.
    """
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_listen(given))


async def _listen(given: Settings) -> None:
    from newsletter.supervisor import follow_lifeline

    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    follow_lifeline(lambda: _ignore(loop.call_soon_threadsafe(task.cancel)))
    open_door = given.inbound.startswith(("smtp:", "lmtp:"))
    wanted = [_door()] if open_door else []
    wanted += [] if open_door and given.smtp_url else [_catcher(given)]
    await asyncio.gather(*wanted)


async def _door() -> None:
    from newsletter.cli import new_process
    from newsletter.inbound.door import serve

    await serve(new_process("smtpd"))


async def _catcher(given: Settings) -> None:
    from newsletter.catcher.server import serve

    await serve(given.data_dir, given.catcher_port or 2525)


def _ignore(value: object) -> None:
    """For callbacks that must give back nothing."""
