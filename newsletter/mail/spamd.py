"""SpamAssassin's daemon, asked over its socket (the SPAMC/1.5 protocol). It is optional: nothing depends on its answer."""

import re
import socket
from dataclasses import dataclass

PATIENCE = 10.0  # seconds; rules of the local kind answer within one
LONGEST = 500_000


@dataclass(frozen=True)
class Report:
    """What it thinks of a mail: points, and the rules that gave them."""

    score: float
    rules: tuple[str, ...]


def ask(address: str, raw: bytes) -> Report | None:
    """Ask the daemon; None when nobody is there, or when the answer makes no sense.

    Args:
        address: ``host:port``, or the path of a socket.
    """
    if not address or len(raw) > LONGEST:
        return None
    try:
        with _connect(address) as line:
            line.settimeout(PATIENCE)
            head = f"SYMBOLS SPAMC/1.5\r\nContent-length: {len(raw)}\r\n\r\n"
            line.sendall(head.encode() + raw)
            line.shutdown(socket.SHUT_WR)
            answer = b""
            while len(answer) < 64_000 and (part := line.recv(8192)):
                answer += part
    except (OSError, ValueError):
        return None
    return read(answer.decode("utf-8", "replace"))


def read(answer: str) -> Report | None:
    """The answer of the daemon: ``SPAMD/1.1 0 EX_OK``, ``Spam: True ; 7.2 / 5.0``, an empty line, the rules."""
    head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
    found = re.search(r"(?m)^Spam:\s*\w+\s*;\s*(-?[\d.]+)\s*/", head)
    if not head.startswith("SPAMD/") or " 0 " not in head.split("\n")[0] + " " or found is None:
        return None
    return Report(float(found.group(1)), tuple(rule.strip() for rule in body.strip().split(",") if rule.strip()))


def _connect(address: str) -> socket.socket:
    if address.startswith("/"):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(1.0)
        try:
            line.connect(address)
        except OSError:
            line.close()
            raise
        return line
    host, _, port = address.rpartition(":")
    return socket.create_connection((host or "127.0.0.1", int(port)), timeout=1.0)
