"""A publication in memory, as a source."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive_site.artifact import Report
from archive_site.build import build
from archive_site.folder import row_of
from archive_site.site import Letter, Site
from archive_site.source import Broken, Stamp

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>'


@dataclass
class Shelf:
    """Letters that a test changes as it likes."""

    site: Site
    kept: dict[int, Letter] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)

    def stamps(self, only: list[int] | None = None) -> Iterator[Stamp]:
        for number, letter in sorted(self.kept.items()):
            if only is None or number in only:
                mark = json.dumps(row_of(letter), sort_keys=True) + self.unreadable.get(number, "")
                yield Stamp(number, hashlib.blake2b(mark.encode("utf-8", "replace"), digest_size=12).hexdigest())

    def letters(self, ids: Iterable[int]) -> Iterator[Letter | Broken]:
        for number in ids:
            yield Broken(number, str(number), self.unreadable[number]) if number in self.unreadable else self.kept[number]

    def put(self, letter: Letter) -> Letter:
        self.kept[letter.id] = letter
        return letter

    def change(self, number: int, **values: object) -> Letter:
        return self.put(replace(self.kept[number], **values))


def letter(number: int, **more: object) -> Letter:
    values = {
        "id": number,
        "number": number,
        "slug": f"brief-{number}",
        "title": f"Brief {number} & mehr",
        "summary": "Worum <es> geht",
        "html": f'<p>Text {number} mit <a id="fnref:1" href="#fn:1">Fußnote</a></p><figure><img src="/media/bild.png" alt="Bild {number}"></figure>'
        '<section class="notes"><ol><li id="fn:1">Note</li></ol></section>',
        "markdown": f"Text {number}",
        "published": datetime(2025, 11, 1, 8, tzinfo=UTC) + timedelta(days=number),
        "tags": ("Anbau", "Über Öl"),
        "minutes": 3,
    }
    return Letter(**(values | more))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    media = tmp_path / "media"
    media.mkdir()
    from PIL import Image

    Image.new("RGB", (16, 10), "#aa5533").save(media / "bild.png")
    return Site(
        name="Der Saatbrief",
        base="https://saat.example/archiv/",
        language="de",
        timezone="Europe/Berlin",
        author="Mira Lindner",
        promise="Ein Brief.",
        sign_up_url="https://saat.example/p/saatbrief",
        form_action="https://saat.example/p/saatbrief/subscribe",
        privacy_url="https://saat.example/p/saatbrief/privacy",
        imprint=("Am Anger 4", "mira@saat.example"),
        cards=False,
        books=False,
        search=False,
        media=media,
    )


@pytest.fixture
def shelf(site: Site) -> Shelf:
    found = Shelf(site)
    for number in range(1, 6):
        found.put(letter(number))
    return found


def make(source: Shelf, out: Path, **more: object) -> Report:
    """Build, and expect that nothing is wrong."""
    report = build(source, out, **({"now": NOW, "processes": 1} | more))
    assert [str(problem) for problem in report.problems] == []
    return report


def tree(out: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
