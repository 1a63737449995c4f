"""Asking other servers: never one inside our own house, never for long, never for much.

Addresses come from strangers (a webmention, an inbox). The name is resolved here, every address that it has is
checked, and the connection goes to the address that was checked (server-side request forgery, OWASP A10).
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import urllib3

LARGEST = 1_000_000  # bytes of an answer
SECONDS = 10.0
REDIRECTS = 3
NAME = "Brieftaube (+https://brieftaube.example)"


class Unreachable(Exception):
    """Another server could not be asked, or gave no usable answer. One sentence says why.

    ``sent``: what was said to it may have arrived all the same.
    """

    def __init__(self, why: str, *, sent: bool = False) -> None:
        super().__init__(why)
        self.sent = sent


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Args:
        address: where the answer came from, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    address: str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Web:
    """Asks other servers.

    Args:
        largest: how much of an answer is read, in bytes; what is longer is no answer.
        private: whether addresses of the own network may be asked, for tests and for people who run everything at home.
        names: addresses of names that this machine should know otherwise than the DNS.
    """

    private: bool = False
    largest: int = LARGEST
    names: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: {"User-Agent": NAME, "Accept-Encoding": "identity"})

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch a page; follows redirects.

        Raises:
            Unreachable: there is no answer, or none that may be used.
        """
        for _ in range(REDIRECTS + 1):
            answer = self._ask("GET", address, headers or {}, None)
            place = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not place:
                return answer
            address = urljoin(address, place)
        raise Unreachable(f"{address} leads from one address to the next.")

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Say something. Redirects are not followed.

        Raises:
            Unreachable: there is no answer, or the address may not be asked.
        """
        return self._ask("POST", address, headers, body)

    def ask(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Ask an interface. Redirects are not followed: a token in the headers is meant for this server and no other.

        Raises:
            Unreachable: there is no answer, or the address may not be asked.
        """
        return self._ask(method, address, headers, body)

    def _ask(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise Unreachable(f"{address[:200]} is no web address.")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise Unreachable(f"{address[:200]} is no web address.") from error
        target = self._checked(parts.hostname, port)
        pool: urllib3.HTTPConnectionPool
        timeout = urllib3.Timeout(total=SECONDS)
        if parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(target, port, server_hostname=parts.hostname, assert_hostname=parts.hostname, timeout=timeout, maxsize=1)
        else:
            pool = urllib3.HTTPConnectionPool(target, port, timeout=timeout, maxsize=1)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        said = {**self.headers, "Host": parts.netloc, **headers}
        try:
            with pool, pool.urlopen(method, path, body=body, headers=said, redirect=False, retries=False, preload_content=False) as response:
                found = response.read(self.largest + 1, decode_content=False)
                if len(found) > self.largest:
                    raise Unreachable(f"The answer of {parts.hostname} is too long.")
                return Answer(response.status, {key.lower(): value for key, value in response.headers.items()}, found, address)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            never = isinstance(error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.SSLError))
            raise Unreachable(f"{parts.hostname} does not answer: {error.__class__.__name__}.", sent=not never) from error

    def _checked(self, host: str, port: int) -> str:
        try:
            found = [str(row[4][0]) for row in socket.getaddrinfo(self.names.get(host, host), port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"There is no server called {host}.") from error
        for text in found:
            address = ip_address(text.partition("%")[0])
            mapped = getattr(address, "ipv4_mapped", None) or address
            # What is link-local is never meant: there the machines of data centres tell their secrets to whoever asks.
            if mapped.is_link_local or (not self.private and not (mapped.is_global and not mapped.is_multicast)):
                raise Unreachable(f"{host} lies in a network of its own.")
        return found[0]
