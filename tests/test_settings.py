"""Settings: refused in a sentence, kept secret."""

from pathlib import Path

import pytest

from newsletter.errors import SettingsError
from newsletter.settings import load


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "achtzig", "PORT must be"),
        ("PORT", "70000", "PORT must be"),
        ("SMTP_CONNECTIONS", "0", "SMTP_CONNECTIONS"),
        ("SEND_RATE", "-1", "SEND_RATE"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL"),
        ("BROKER_URL", "kafka://x", "BROKER_URL"),
        ("SMTP_URL", "http://x", "SMTP_URL"),
        ("BASE_URL", "news.example.org", "BASE_URL"),
        ("BASE_URL", "https://x.example/path", "BASE_URL"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT"),
    ],
)
def test_what_cannot_work_is_refused_by_name(tmp_path: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load({"BRIEFTAUBE_CONFIG": "/nowhere", f"BRIEFTAUBE_{name}": value}, data_dir=tmp_path)


def test_a_file_is_read_and_the_environment_is_stronger(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text('port = 9000\nbase_url = "https://a.example"\n')
    environ = {"BRIEFTAUBE_CONFIG": str(tmp_path / "b.toml"), "BRIEFTAUBE_PORT": "9001"}
    found = load(environ, data_dir=tmp_path)
    assert (found.port, found.base_url, found.bounce_domain) == (9001, "https://a.example", "a.example")


def test_a_setting_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("ports = 1\n")
    with pytest.raises(SettingsError, match="PORTS"):
        load({"BRIEFTAUBE_CONFIG": str(tmp_path / "b.toml")}, data_dir=tmp_path)


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=tmp_path).secret_keys
    assert load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=tmp_path).secret_keys == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
