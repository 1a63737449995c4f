"""Questions to the DNS, by dnspython. „Not found“ and „could not be asked“ are two different answers."""

from typing import Protocol

import dns.exception
import dns.resolver
import dns.reversename

PATIENCE = 3.0  # seconds for one question


class Unreachable(Exception):
    """Nobody answered, or the answer was an error."""


class Resolver(Protocol):
    """What somebody who checks a domain wants to know. Each gives back an empty list when there is none.

    Raises:
        Unreachable: it could not be found out.
    """

    def texts(self, name: str) -> list[str]:
        """TXT records, each put together from its pieces."""

    def mail_hosts(self, name: str) -> list[str]:
        """MX hosts without the dot at the end; "" is a null MX (RFC 7505)."""

    def addresses(self, name: str) -> list[str]:
        """IPv4 and IPv6 addresses."""

    def names(self, address: str) -> list[str]:
        """Names that an address leads back to."""


class SystemResolver:
    """The name servers of this machine."""

    def texts(self, name: str) -> list[str]:
        return [b"".join(row.strings).decode("utf-8", "replace") for row in self._ask(name, "TXT")]

    def mail_hosts(self, name: str) -> list[str]:
        return [row.exchange.to_text(omit_final_dot=True).rstrip(".") for row in self._ask(name, "MX")]

    def addresses(self, name: str) -> list[str]:
        return [row.address for kind in ("A", "AAAA") for row in self._ask(name, kind)]

    def names(self, address: str) -> list[str]:
        return [row.target.to_text(omit_final_dot=True) for row in self._ask(dns.reversename.from_address(address).to_text(), "PTR")]

    def _ask(self, name: str, kind: str) -> list:  # type: ignore[type-arg]  # rows differ by kind
        try:
            return list(dns.resolver.resolve(name, kind, lifetime=PATIENCE, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise Unreachable(str(error)) from error
