"""A small IMAP server (RFC 3501) that does what a program needs that reads new mail, and goes wrong where it is told to."""

import re
import socketserver
import threading
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Imap:
    """One mailbox.

    Args:
        mails: the mails by number.
        breaks_after: the command after which the connection is cut, such as "FETCH".
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    password: str = "geheim"
    breaks_after: str = ""
    seen: set[int] = field(default_factory=set)
    sizes: dict[int, int] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        box = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"* OK ready\r\n")
                while line := self.rfile.readline():
                    tag, _, words = line.decode().strip().partition(" ")
                    command = words.upper()
                    box.commands.append(words)
                    lines, ending = box.answer(command, words)
                    for one in lines:
                        self.wfile.write(one + b"\r\n")
                    self.wfile.write(f"{tag} {ending} done\r\n".encode())
                    if command == "LOGOUT" or (box.breaks_after and box.breaks_after in command and "PEEK" in command):
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def answer(self, command: str, words: str) -> tuple[list[bytes], str]:
        if command.startswith("CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1"], "OK"
        if command.startswith("LOGIN"):
            return ([], "OK") if self.password in words else ([], "NO [AUTHENTICATIONFAILED] wrong")
        if command.startswith("SELECT"):
            if "INBOX" not in command:
                return [], "NO no such folder"
            following = max(self.mails, default=0) + 1
            return [f"* {len(self.mails)} EXISTS".encode(), f"* OK [UIDVALIDITY {self.validity}]".encode(), f"* OK [UIDNEXT {following}]".encode()], "OK"
        if command.startswith("UID SEARCH"):
            found = re.search(r"UID (\d+):\*", command)
            first = int(found[1]) if found else 0
            numbers = [one for one in self.mails if one >= first] or [max(self.mails, default=0)]
            return [("* SEARCH " + " ".join(str(one) for one in sorted(numbers) if one)).encode()], "OK"
        if command.startswith("UID FETCH"):
            number = int(command.split()[2])
            raw = self.mails.get(number, b"")
            if "RFC822.SIZE" in command:
                return [f"* 1 FETCH (UID {number} RFC822.SIZE {self.sizes.get(number, len(raw))})".encode()], "OK"
            return [f"* 1 FETCH (UID {number} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")"], "OK"
        if command.startswith("UID STORE"):
            self.seen.add(int(command.split()[2]))
            return [], "OK"
        return ([b"* BYE"], "OK") if command.startswith("LOGOUT") else ([], "OK")
