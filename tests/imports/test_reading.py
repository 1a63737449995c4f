"""CSV of any shape, and files that are none (C9)."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Refused
from newsletter.imports import presets, reading
from newsletter.imports.policy import Reader, RowRefused, address_of, mapping_of, moment_of, tags_of
from newsletter.mail.addresses import _parse
from newsletter.spreadsheets import plain


def file(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "liste.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "delimiter", "columns"),
    [
        (b"email,name\nada@example.org,Ada\n", ",", ("email", "name")),
        (b"E-Mail;Name\r\nada@example.org;Lorenzen, Ada\r\n", ";", ("E-Mail", "Name")),
        (b"\xef\xbb\xbfemail\tname\nada@example.org\tAda\n", "\t", ("email", "name")),
        (b"email|name\nada@example.org|Ada\n", "|", ("email", "name")),
        (b"email\nada@example.org\n", ",", ("email",)),
        (b"ada@example.org,Ada\nben@example.org,Ben\n", ",", ("1", "2")),
        ("email;straße\nada@example.org;Bäckergasse\n".encode("cp1252"), ";", ("email", "straße")),
        (b'email,note\nada@example.org,"two\nlines"\nben@example.org,x\n', ",", ("email", "note")),
        (b"email,name\rada@example.org,Ada\r", ",", ("email", "name")),
    ],
)
def test_the_shape_of_a_file_is_found_out(tmp_path: Path, data: bytes, delimiter: str, columns: tuple[str, ...]) -> None:
    shape = reading.look(file(tmp_path, data))
    assert (shape.delimiter, shape.columns) == (delimiter, columns)


def test_utf_16_is_rewritten(tmp_path: Path) -> None:
    path = file(tmp_path, "email;name\nada@example.org;Änne\n".encode("utf-16"))
    reading.rewrite(path, "utf-16")
    assert reading.look(path).sample[0][1] == "Änne"


def test_two_encodings_in_one_file_are_both_read(tmp_path: Path) -> None:
    path = file(tmp_path, b"email,name\na@example.org," + "Jörg".encode() + b"\nb@example.org," + "Jörg".encode("cp1252") + b"\n")
    assert [cells[1] for cells, _ in reading.rows(path, ",")] == ["name", "Jörg", "Jörg"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"PK\x03\x04xxxx", b"\x1f\x8bxxxx", b"\xd0\xcf\x11\xe0", b"email\n" + b"\0" * 500, b"email,name\n"])
def test_what_is_no_table_of_text_is_refused_with_a_sentence(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Refused):
        reading.look(file(tmp_path, data))


def test_a_thousand_columns_are_refused_with_the_row(tmp_path: Path) -> None:
    with pytest.raises(reading.Unreadable, match="Row 1: it has 1000 columns"):
        reading.look(file(tmp_path, b",".join([b"a@example.org"] * 1000) + b"\n"))


def test_c9_a_line_of_fifty_megabytes_is_refused_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "lang.csv"
    with path.open("wb") as stream:
        stream.write(b"email,name\nada@example.org,Ada\n")
        for _ in range(50):
            stream.write(b"x" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(reading.Unreadable, match="Row 3: it is longer than a megabyte"):
        reading.scan(path, ",")
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "tail",
    [b'b@example.org,"never closed\nc@example.org,x\n', b'b@example.org,"x\nc@example.org,"y"\n', b'b@example.org,"' + b"x\n" * 500],
)
def test_an_unfinished_quotation_mark_is_named_with_its_row(tmp_path: Path, tail: bytes) -> None:
    path = file(tmp_path, b"email,name\na@example.org,A\n" + tail)
    with pytest.raises(reading.Unreadable, match="Row 3: a quotation mark"):
        reading.scan(path, ",")


def test_reading_goes_on_at_any_place(tmp_path: Path) -> None:
    path = file(tmp_path, b"\xef\xbb\xbfemail,note\n" + b'a@example.org,"two\nlines"\n' * 50)
    places = list(reading.rows(path, ","))
    assert places[-1][1] == path.stat().st_size
    for number, (_, place) in enumerate(places[:-1], 1):
        assert [cells for cells, _ in reading.rows(path, ",", place, number)] == [cells for cells, _ in places[number:]]


@given(st.emails() | st.from_regex(r"[A-Za-z0-9._+-]{1,70}@[A-Za-z0-9.-]{1,70}\.[A-Za-z]{2,8}", fullmatch=True))
def test_f11_the_short_way_says_what_the_full_check_says(text: str) -> None:
    try:
        # An apostrophe before a dangerous sign is a spreadsheet's armour and not a part of the address (C8).
        address = _parse(plain(text))
        full = (address.text, address.canonical)
    except Refused:
        full = None
    try:
        short = address_of(text)
    except RowRefused:
        short = None
    assert short == full


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-03-04 18:24:09", "2024-03-04 17:24:09.000000"),
        ("2024-03-04T18:24:09Z", "2024-03-04 18:24:09.000000"),
        ("2024-03-04 18:24:09 UTC", "2024-03-04 18:24:09.000000"),
        ("04.03.2024 18:24", "2024-03-04 17:24:00.000000"),
        ("4.3.2024", "2024-03-03 23:00:00.000000"),
        ("03/04/2024 18:24", "2024-03-04 17:24:00.000000"),
        ("1709573049", "2024-03-04 17:24:09.000000"),
        ("0", ""), ("", ""), ("gestern", ""), ("31.02.2024", ""), ("0001-01-01", ""), ("9999-12-31T23:59:59-12:00", ""),
    ],
)  # fmt: skip
def test_moments_are_read_as_programs_write_them(cell: str, moment: str) -> None:
    assert moment_of(cell, "Europe/Berlin") == moment


def test_tags_are_read_as_programs_write_them() -> None:
    assert tags_of('"Messe 2024","VIP"') == ("Messe 2024", "VIP")
    assert tags_of("[a; b | a]") == ("a", "b")
    assert tags_of("'=1+1") == ("=1+1",)


EXPORTS = {
    "Mailchimp": [
        (b'Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME,TAGS\nada@example.org,Ada,L,2021-05-01,"2021-05-01 10:05:00","""VIP"""\n', "active"),
        (b"Email Address,First Name,CONFIRM_TIME,UNSUB_TIME\nada@example.org,Ada,2021-05-01 10:00:00,2022-05-01 10:00:00\n", "unsubscribed"),
        (b"Email Address,First Name,OPTIN_TIME,CLEAN_TIME\nada@example.org,Ada,2021-05-01 10:00:00,2022-05-01 10:00:00\n", "dead"),
    ],
    "CleverReach": [
        (b"email;activated;registered;deactivated;source;firstname;lastname;tags\nada@example.org;1619856000;1619855000;0;Web;Ada;Lorenzen;\n", "active"),
        (b"email;activated;registered;deactivated;firstname\nada@example.org;1619856000;1619855000;1651392000;Ada\n", "unsubscribed"),
    ],
    "rapidmail": [
        (b"E-Mail;Vorname;Nachname;Status;Aktiviert am\nada@example.org;Ada;Lorenzen;aktiv;01.05.2021 10:00\n", "active"),
        (b"E-Mail;Vorname;Nachname;Status;Aktiviert am\nada@example.org;Ada;Lorenzen;abgemeldet;01.05.2021 10:00\n", "unsubscribed"),
        (b"E-Mail;Vorname;Nachname;Status;Aktiviert am\nada@example.org;Ada;Lorenzen;Beschwerde;01.05.2021 10:00\n", "complaint"),
    ],
    "listmonk": [
        (b'uuid,email,name,attributes,status,created_at,updated_at\nx,ada@example.org,Ada,"{""a"": 1}",enabled,2021-05-01T10:00:00Z,x\n', "active"),
        (b"uuid,email,name,attributes,status,created_at,updated_at\nx,ada@example.org,Ada,{},blocklisted,2021-05-01T10:00:00Z,x\n", "complaint"),
    ],
    "Ghost": [
        (b"id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels\n1,ada@example.org,Ada,,true,2021-05-01T10:00:00.000Z,,VIP\n", "active"),
        (b"id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels\n1,ada@example.org,Ada,,false,2021-05-01T10:00:00.000Z,,\n", "unsubscribed"),
    ],
    "Substack": [
        (b"email,active_subscription,expiry,plan,email_disabled,created_at\nada@example.org,false,,other,false,2021-05-01T10:00:00.000Z\n", "active"),
        (b"email,active_subscription,expiry,plan,email_disabled,created_at\nada@example.org,false,,other,true,2021-05-01T10:00:00.000Z\n", "unsubscribed"),
    ],
    "Buttondown": [
        (b"email,notes,metadata,tags,referrer_url,creation_date,type\nada@example.org,,{},VIP,,2021-05-01T10:00:00Z,regular\n", "active"),
        (b"email,notes,metadata,tags,referrer_url,creation_date,type\nada@example.org,,{},,,2021-05-01T10:00:00Z,unsubscribed\n", "unsubscribed"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("program", "data", "state"), [(program, *case) for program, cases in EXPORTS.items() for case in cases])
def test_exports_of_other_programs_are_understood(tmp_path: Path, program: str, data: bytes, state: str) -> None:
    path = file(tmp_path, data)
    shape = reading.look(path)
    preset = presets.recognise(shape.columns)
    assert preset is not None
    assert preset.name == program
    stored = {"columns": {str(index): meaning for index, meaning in presets.meanings(shape.columns).items()}, "always": preset.always}
    cells = list(reading.rows(path, shape.delimiter))[1][0]
    row = Reader(mapping_of(stored, "UTC")).read(2, cells)
    assert (row.canonical, row.state) == ("ada@example.org", state)
    assert row.name.startswith("Ada") or program in ("Substack", "Buttondown")
    assert row.joined.startswith("2021-05-01") or state == "dead"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["", "Ada", "aktiv"], "no address"),
        (["ada", "Ada", "aktiv"], "bad address"),
        (["ada@example.org", "Ada", "pending"], "unconfirmed"),
        (["ada@example.org", "Ada", "vielleicht"], "unknown state"),
        (["ada@example.org", "A\x00da", "aktiv"], "control characters"),
        ([], "too few cells"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(cells: list[str], reason: str) -> None:
    reader = Reader(mapping_of({"columns": {"0": "email", "1": "name", "2": "state"}}, "UTC"))
    with pytest.raises(RowRefused, match=reason):
        reader.read(1, cells)


@pytest.mark.parametrize("columns", [{}, {"0": "name"}, {"0": "email", "1": "email"}])
def test_a_mapping_that_cannot_stand_is_refused(columns: dict[str, str]) -> None:
    with pytest.raises(Refused):
        mapping_of({"columns": columns}, "UTC")
