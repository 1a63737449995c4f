"""A sender in a process of its own, which ends itself where it is told to. Run by test_kills.py."""

import os
import resource
import signal
import sys
from pathlib import Path

from newsletter import process as processes
from newsletter.deliveries import actions, gate, sending
from newsletter.mail.connection import Connection
from newsletter.mail.smtp import Timeouts
from newsletter.settings import load


def die(*args: object, **more: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    data_dir, mailing_id, where, database = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    more = {"database_url": database} if database else {}
    number = 1
    if where == "few files":
        number = 40
        resource.setrlimit(resource.RLIMIT_NOFILE, (26, 26))
    settings = load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=data_dir, base_url="http://localhost", smtp_connections=number, **more)
    process = processes.new_process(settings)
    if where == "before the dot":
        Connection.dot = die
    elif where == "before the result":
        gate.Gate.settle = die
    elif where == "at the end":
        actions.finish = die
    sending.send(process, mailing_id, Timeouts(5, 5, 5, 5))
    if where == "after the end":
        die()


main()
