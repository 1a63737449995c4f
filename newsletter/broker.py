"""The doorbell. The database is the truth; a message holds an id and may be lost, doubled or late.

No middleware on purpose: a retry is a row's ``next_attempt_at``, and a time limit would raise an
exception at an arbitrary point of an SMTP transaction.
"""

import logging
from typing import Any

import dramatiq
from dramatiq import Actor, Broker
from dramatiq.brokers.stub import StubBroker

log = logging.getLogger(__name__)

broker: Broker = StubBroker(middleware=[])
dramatiq.set_broker(broker)

Job = Actor[Any, Any]


def connect(url: str) -> Broker:
    """Move every declared actor to the broker that ``url`` names; empty keeps the embedded one.

    Args:
        url: ``redis://…``, ``amqp://…`` or empty.
    """
    if not url:
        return broker
    outside = _outside_broker(url)
    dramatiq.set_broker(outside)
    for name in broker.get_declared_actors():
        actor = broker.get_actor(name)
        actor.broker = outside
        outside.declare_actor(actor)
    return outside


def ring(actor: Job, *ids: int) -> None:
    """Say that there is work, after the commit.

    With the embedded broker nothing is sent: the worker notices commits by itself. With an outside
    broker a failure is only logged, because the sweep rings again for whatever is due.
    """
    if actor.broker is broker:
        return
    try:
        actor.send(*ids)
    except Exception as error:  # noqa: BLE001 -- redis, pika and socket errors share no root
        log.warning("the doorbell did not ring, the sweep will: %s", error)


def greet(url: str) -> None:
    """Ask an outside broker whether it is there.

    Raises:
        Exception: it is not; redis, pika and socket errors share no root.
    """
    outside: Any = _outside_broker(url)
    try:
        outside.client.ping() if url.startswith("redis") else outside.connection
    finally:
        outside.close()


def _outside_broker(url: str) -> Broker:
    if url.startswith("redis"):
        from dramatiq.brokers.redis import RedisBroker

        return RedisBroker(url=url, middleware=[])  # type: ignore[no-untyped-call]  # dramatiq leaves it untyped
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    return RabbitmqBroker(url=url, middleware=[])
