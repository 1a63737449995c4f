"""Looking at refusals: the DNS is asked before the transaction, so that nobody waits for a name server with the write lock."""

from collections.abc import Iterable

from newsletter.bounces import actions, policy, queries
from newsletter.process import Process
from newsletter.resolver import Resolver, Unreachable


def look(process: Process) -> int:
    """Everything that servers refused and that was not looked at; gives back how many."""
    done = 0
    while not process.stopping.is_set():
        with process.reading() as session:
            waiting = queries.unnoted(session, process.clock())
            asked = {row.canonical.rpartition("@")[2] for row in waiting if row.enhanced in policy.ASK_THE_DNS}
        if not waiting:
            break
        missing = domains_gone(process.resolver, asked)
        with process.writing() as session:
            found = actions.note_refusals(session, process.tokens, process.links, domains_gone=missing, now=process.clock())
        done += found
        if not found:
            break
    return done


def domains_gone(resolver: Resolver, domains: Iterable[str]) -> set[str]:
    """Those that take no mail, as far as the DNS answers; one that cannot be asked is not gone (RFC 5321 §5.1, RFC 7505)."""
    gone = set()
    for domain in domains:
        try:
            hosts = resolver.mail_hosts(domain)
            if hosts == [""] or not (hosts or resolver.addresses(domain)):
                gone.add(domain)
        except Unreachable:
            continue
    return gone
