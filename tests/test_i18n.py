"""German and English, numbers and dates."""

from datetime import UTC, datetime

import pytest

from newsletter.errors import Refused
from newsletter.i18n import Speech, preferred

AT = datetime(2026, 11, 3, 8, 5, tzinfo=UTC)


def test_numbers_and_dates_are_written_as_readers_write_them() -> None:
    german, english = Speech("de"), Speech("en")
    assert (german.number(1284), english.number(1284)) == ("1.284", "1,284")
    assert (german.percent(1236, 1251), english.percent(1236, 1251)) == ("98,8\u00a0%", "98.8%")
    assert (german.moment(AT), english.day(AT)) == ("3. November 2026, 9:05", "3 November 2026")
    assert german.weekday(AT) == "Dienstag, 3. November 2026"


def test_one_and_many_are_told_apart() -> None:
    speech = Speech("de")
    assert speech.plural("%(n)s word", "%(n)s words", 1) == "1 Wort"
    assert speech.plural("%(n)s word", "%(n)s words", 2000) == "2.000 Wörter"


def test_a_reason_is_said_in_the_language_of_the_reader_and_a_server_is_quoted() -> None:
    speech = Speech("de")
    assert speech.reason("connect: Nobody listens at the address of the mail server.") == "Unter der Adresse des Mailservers hört niemand zu."
    assert speech.reason("rcpt: 550 5.7.26 100% not you") == "550 5.7.26 100% not you"
    assert speech.reason("") == ""
    error = Refused("The mail server said no (%(phase)s): %(why)s", phase="connect", why="The server closed the connection.")
    assert speech.refusal(error) == "Der Mailserver hat abgelehnt (connect): Der Server hat die Verbindung getrennt."


@pytest.mark.parametrize(("header", "language"), [("de-AT,en;q=0.5", "de"), ("fr,en;q=0.5", "en"), ("", "de"), ("x" * 1000, "de"), ("en-US", "en")])
def test_the_language_of_a_browser_is_understood(header: str, language: str) -> None:
    assert preferred(header) == language


def test_money_is_rounded_as_people_do_and_tenths_of_a_cent_are_shown_where_they_matter() -> None:
    german, english = Speech("de"), Speech("en")
    assert [german.euros(cents) for cents in (0, 7.5, 142.5, 1250, 123_456)] == [
        "0,00\u00a0€",
        "0,075\u00a0€",
        "1,43\u00a0€",
        "12,50\u00a0€",
        "1.234,56\u00a0€",
    ]
    assert english.euros(142.5) == "€1.43"
    assert german.decimal(0.3) == "0,30"
