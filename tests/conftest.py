"""Fixtures that everybody uses. Nothing is patched: time, settings and servers come in as arguments."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter import process as processes
from newsletter import schema
from newsletter.process import Process
from newsletter.settings import Settings, load
from newsletter.web import create_app
from tests.support import cast, services
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(**more: object) -> Settings:
        return load({"BRIEFTAUBE_CONFIG": "/nowhere"}, **{"data_dir": tmp_path / "data", "base_url": "http://localhost", "undo_seconds": 0} | more)

    return make


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the schema in it, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("migrated")
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=folder))
    schema.upgrade(process.engine)
    process.engine.dispose()
    return folder / "brieftaube.db"


@pytest.fixture
def new_process(new_settings: Callable[..., Settings], migrated: Path, clock: Clock) -> Iterator[Callable[..., Process]]:
    """Makes processes on a fresh SQLite database; settings may be given."""
    made: list[Process] = []

    def make(**more: object) -> Process:
        settings = new_settings(**more)
        if settings.database_url.startswith("sqlite") and not (settings.data_dir / "brieftaube.db").exists():
            shutil.copy(migrated, settings.data_dir / "brieftaube.db")
        process = processes.use(processes.new_process(settings, clock))
        if not settings.database_url.startswith("sqlite"):
            schema.upgrade(process.engine)
        made.append(process)
        return process

    yield make
    for process in made:
        process.engine.dispose()


@pytest.fixture
def process(new_process: Callable[..., Process]) -> Process:
    return new_process()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with services.postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    return services.new_database(postgres_server)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with services.valkey() as url:
        yield url


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    with services.rabbitmq() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_process(request: pytest.FixtureRequest, new_process: Callable[..., Process]) -> Process:
    """The same test on both databases."""
    if request.param == "sqlite":
        return new_process()
    return new_process(database_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def app(process: Process) -> Iterator[Flask]:
    app = create_app(process)
    app.testing = True
    yield app
    with app.app_context():
        from newsletter.database import db

        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Browser:
    """A test client that fills in CSRF tokens as a browser would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: object) -> "object":
        return self.client.get(path, **more)

    def token(self, path: str = "/admin/account") -> str:
        page = self.client.get(path, follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found.group(1)

    def post(self, path: str, data: dict[str, object] | None = None, at: str = "/admin/account", **more: object) -> "object":
        return self.client.post(path, data={"csrf_token": self.token(at)} | (data or {}), **more)

    def log_in(self, email: str = "mira@saatgarten.example", password: str = cast.PASSWORD) -> "object":
        return self.post("/admin/log-in", {"email": email, "password": password}, at="/admin/log-in")


@pytest.fixture
def mira(process: Process, client: FlaskClient) -> Browser:
    """The owner of the Saatbrief, logged in."""
    cast.publication(process)
    cast.editor(process)
    browser = Browser(client)
    assert browser.log_in().status_code == 303
    return browser
