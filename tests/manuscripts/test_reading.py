"""Files of other programs, known by what is in them."""

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest

from newsletter.errors import Refused
from newsletter.manuscripts.reading import Bundle, date_of, read


def packed(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def only(bundle: Bundle) -> object:
    (found,) = bundle.manuscripts
    return found


def test_markdown_with_a_head_of_any_program() -> None:
    text = '---\ntitle: "Die Bohne: ein Leben"\ndescription: Kurz.\ndate: 2024-03-01T09:00:00+01:00\nslug: bohne\ntags:\n  - Anbau\n  - Öl\nx: y\n---\n\n'
    text += "# Die Bohne: ein Leben\n\nText.\n"
    found = only(read("2024-03-01-x.md", text.encode()))
    assert (found.subject, found.preheader, found.slug, found.tags, found.markdown) == ("Die Bohne: ein Leben", "Kurz.", "bohne", ("Anbau", "Öl"), "Text.\n")
    assert found.date == datetime(2024, 3, 1, 8, tzinfo=UTC)


def test_a_draft_has_no_day() -> None:
    assert only(read("x.md", b"---\ntitle: A\ndate: 2024-03-01\ndraft: true\n---\nx")).date is None


def test_substack_knows_subtitles_days_and_what_was_never_sent() -> None:
    table = "post_id,post_date,is_published,email_sent_at,inbox_sent_at,type,audience,title,subtitle,podcast_url\n"
    table += "11.die-bohne,2024-03-01T08:00:00.000Z,true,,,newsletter,everyone,Die Bohne,Ein Leben,\n"
    table += "12.entwurf,,false,,,newsletter,everyone,Entwurf,,\n13.fehlt,2024-03-01T08:00:00.000Z,true,,,newsletter,everyone,Fehlt,,\n"
    bundle = read("export.zip", packed({"posts.csv": table, "posts/11.die-bohne.html": "<p>Ein <b>Wort</b></p>", "posts/12.entwurf.html": "<p>x</p>"}))
    first, second = bundle.manuscripts
    assert (bundle.source, first.subject, first.preheader, first.slug, first.was, first.markdown) == (
        "substack",
        "Die Bohne",
        "Ein Leben",
        "die-bohne",
        "/p/die-bohne",
        "Ein **Wort**\n",
    )
    assert first.date == datetime(2024, 3, 1, 8, tzinfo=UTC)
    assert second.date is None


def test_ghost_knows_tags_and_the_picture_above() -> None:
    post = {
        "id": "1",
        "title": "Die Bohne",
        "slug": "die-bohne",
        "html": "<p>Text</p>",
        "status": "published",
        "published_at": "2024-03-01T08:00:00.000Z",
        "custom_excerpt": "Kurz",
        "feature_image": "https://ghost.example/a.jpg",
        "feature_image_alt": "Eine Bohne",
        "type": "post",
    }
    data = {
        "db": [
            {
                "data": {
                    "posts": [post, post | {"id": "2", "type": "page"}],
                    "tags": [{"id": "t", "name": "Anbau"}],
                    "posts_tags": [{"post_id": "1", "tag_id": "t"}],
                }
            }
        ]
    }
    bundle = read("ghost.json", json.dumps(data).encode())
    found = only(bundle)
    assert (bundle.source, found.tags, found.preheader, found.was) == ("ghost", ("Anbau",), "Kurz", "/die-bohne/")
    assert found.markdown == "![Eine Bohne](https://ghost.example/a.jpg)\n\nText\n"


def test_buttondown_is_a_folder_of_markdown() -> None:
    text = "---\nsubject: Die Bohne\npublish_date: 2024-03-01 08:00:00\nstatus: sent\n---\nText"
    bundle = read("b.zip", packed({"emails/die-bohne.md": text, "__MACOSX/._x.md": "x"}))
    assert (bundle.source, only(bundle).subject, only(bundle).date) == ("buttondown", "Die Bohne", datetime(2024, 3, 1, 8, tzinfo=UTC))


def test_mailchimp_says_subjects_and_days_in_a_table() -> None:
    table = 'Title,Subject,Send Date\n"Bohne Maerz","Die Bohne ist da","Mar 01, 2024 08:00 am"\n'
    html = "<html><head><title>*|MC:SUBJECT|*</title></head><body><table><tr><td><h1>Hallo</h1><p>Text *|FNAME|*</p></td></tr></table></body></html>"
    bundle = read("m.zip", packed({"campaigns.csv": table, "campaigns_content/123_bohne-maerz.html": html}))
    found = only(bundle)
    assert (bundle.source, found.subject, found.date) == ("mailchimp", "Die Bohne ist da", datetime(2024, 3, 1, 8, tzinfo=UTC))
    assert "## Hallo" in found.markdown


def test_html_by_itself() -> None:
    found = only(read("brief.html", b"<!doctype html><title>Ein Brief</title><time datetime='2024-03-01'></time><h1>Ein Brief</h1><p>Text</p>"))
    assert (found.subject, found.markdown, found.date) == ("Ein Brief", "Text\n", datetime(2024, 3, 1, tzinfo=UTC))


def test_pictures_come_out_of_the_archive() -> None:
    bundle = read("x.zip", packed({"a/brief.md": "---\ntitle: A\n---\n![x](bild.png)", "a/bild.png": b"PNG"}))
    assert bundle.pictures("bild.png") == b"PNG"
    assert bundle.pictures("../../etc/passwd") is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x01\x02", b"PK\x03\x04kaputt", b"{}", b'{"db": 1}', packed({"liesmich.exe": b"MZ"}), b"[" * 100_000, b"{" * 100_000],
    ids=["empty", "binary", "broken zip", "no posts", "other json", "no letter", "nested", "nested object"],
)
def test_what_nobody_knows_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Refused):
        read("x", data)


def test_c9_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(Refused, match="bombs"):
        read("x.zip", packed({"a.md": b"0" * 20_000_000}))


def test_c9_more_files_than_anybody_writes_are_refused() -> None:
    with pytest.raises(Refused, match="too much"):
        read("x.zip", packed({f"{number}.md": "x" for number in range(5001)}))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-01", 1),
        ("01.03.2024", 1),
        ("Mar 01, 2024 08:00 am", 1),
        ("Fri, 01 Mar 2024 08:00:00 +0000", 1),
        ("gestern", None),
        ("", None),
        ("2024-99-99", None),
    ],
)
def test_days_are_read_as_others_write_them(text: str, day: int | None) -> None:
    moment = date_of(text)
    assert (moment.day if moment else None) == day
