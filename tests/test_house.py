"""The rules of the house: what is promised is a test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from newsletter import schema
from newsletter.cli import main
from newsletter.deliveries.models import DELIVERY_STATES
from newsletter.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent


def test_the_import_contracts_hold() -> None:
    done = subprocess.run([str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    for setting in SETTINGS:
        assert f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else '–'} | {setting.help} |" in text, setting.name


def commands() -> list[str]:
    found = []
    for name, command in main.commands.items():
        names = command.list_commands(None) if hasattr(command, "list_commands") else []
        found += [f"{name} {sub}" for sub in names] or [name]
    return found


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for command in commands():
        assert f"brieftaube {command}" in text, command


def test_every_table_and_state_stands_in_the_glossary() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    for state in DELIVERY_STATES:
        assert state in text, state
    words = {"mailings": "Mailing", "deliveries": "Delivery", "attempts": "Attempt", "notices": "Notice", "issues": "Issue", "consents": "Consent"}
    assert set(words) <= set(schema.metadata().tables)
    for word in words.values():
        assert f"| {word} |" in text


def test_every_sentence_has_its_german() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import messages
    finally:
        sys.path.remove(str(ROOT / "tools"))
    assert messages.missing() == []


def test_german_and_english_fill_the_same_places() -> None:
    from babel.messages.pofile import read_po

    with (ROOT / "newsletter" / "locales" / "de.po").open("rb") as stream:
        for message in read_po(stream, locale="de"):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            wanted = set(re.findall(r"%\(\w+\)s", ids[-1]))
            for string in strings[-1:] if message.id else ():
                assert set(re.findall(r"%\(\w+\)s", string)) == wanted, message.id


def test_nobody_is_addressed_as_sie() -> None:
    text = (ROOT / "newsletter" / "locales" / "de.po").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("msgstr"):
            assert not re.search(r"\b(Ihre?[nmrs]?|Ihnen)\b", line), line


@pytest.mark.parametrize("template", sorted((ROOT / "templates" / "web").rglob("*.html"), key=str), ids=lambda path: path.name)
def test_web_pages_have_no_inline_style_or_script(template: Path) -> None:
    text = template.read_text("utf-8")
    assert " style=" not in text
    assert not re.search(r"\son\w+=", text)
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script


def test_colours_come_from_the_tokens_alone() -> None:
    for name in ("base.css", "parts.css"):
        text = (ROOT / "newsletter" / "web" / "static" / name).read_text("utf-8")
        assert not re.search(r"#[0-9a-f]{3,8}\b(?![^{]*print)", text.partition("@layer print")[0].replace('url("#closed")', "").replace('url("#doubt")', "")), (
            name
        )


def test_the_map_of_the_house_names_every_package() -> None:
    import newsletter

    packages = {path.parent.name for path in (ROOT / "newsletter").glob("*/__init__.py")}
    for name in packages:
        assert re.search(rf"^    {name}\s", newsletter.__doc__ or "", re.MULTILINE), name


def test_modules_can_be_imported_by_themselves() -> None:
    for module in ("newsletter.supervisor", "newsletter.cli", "archive_site", "newsletter.rendering.mail", "newsletter.deliveries.sending"):
        subprocess.run([sys.executable, "-W", "error", "-c", f"import {module}"], cwd=ROOT, check=True)


def test_the_supervisor_stays_small() -> None:
    """It runs beside everything else, so it must not carry the rest around."""
    code = (
        "import sys, newsletter.cli, newsletter.supervisor; print([name for name in ('flask', 'sqlalchemy', 'dramatiq', 'mjml', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_design_page_shows_every_state(client: object, process: object) -> None:
    soup = BeautifulSoup(client.get("/dev/design").get_data(as_text=True), "html.parser")
    shown = {cls for node in soup.select(".state") for cls in node["class"]}
    assert {"done", "go", "wait", "rest", "end", "doubt", "bad"} <= shown


def test_the_project_names_no_machine_and_no_registry() -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    for name in listing:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".html", ".json", ".css") and path.is_file() and path != Path(__file__):
            assert "/work/" not in path.read_text("utf-8"), name
