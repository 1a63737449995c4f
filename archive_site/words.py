"""The few words that an archive says by itself, and its dates."""

from datetime import datetime
from zoneinfo import ZoneInfo

MONTHS = {
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
}
SHORT = {
    "de": ("Jan.", "Febr.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
WORDS = {
    "de": {
        "all": "Alle Briefe",
        "archive": "Archiv",
        "subscribe": "Abonnieren",
        "as_mail": "Als Mail bekommen",
        "number": "Nr.",
        "minutes": "Minuten",
        "minute": "Minute",
        "tags": "Themen",
        "tag": "Thema",
        "feed": "Feed",
        "feeds": "Feeds",
        "imprint": "Impressum",
        "privacy": "Datenschutz",
        "skip": "Zum Inhalt",
        "next_letter": "Den nächsten Brief per Mail bekommen",
        "your_address": "Deine E-Mail-Adresse",
        "older": "Davor",
        "newer": "Danach",
        "more": "Weitere Briefe",
        "latest": "Zuletzt erschienen",
        "lost_title": "Dieser Brief ist nicht angekommen.",
        "lost": "Unter dieser Adresse liegt nichts. Vielleicht ist beim Abschreiben ein Zeichen verloren gegangen, oder der Brief ist umgezogen.",
        "empty": "Noch ist kein Brief erschienen.",
        "empty_hint": "Der erste liegt hier, sobald er verschickt ist.",
        "feeds_lead": "Ein Feed bringt jeden Brief in dein Leseprogramm, ohne Adresse und ohne Konto. Kopiere eine dieser Zeilen hinein.",
        "count": "{n} Briefe seit {month}",
        "count_one": "Ein Brief seit {month}",
        "by": "von {author}",
    },
    "en": {
        "all": "All letters",
        "archive": "Archive",
        "subscribe": "Subscribe",
        "as_mail": "Get it by mail",
        "number": "No.",
        "minutes": "minutes",
        "minute": "minute",
        "tags": "Topics",
        "tag": "Topic",
        "feed": "Feed",
        "feeds": "Feeds",
        "imprint": "Imprint",
        "privacy": "Privacy",
        "skip": "Skip to content",
        "next_letter": "Get the next letter by mail",
        "your_address": "Your mail address",
        "older": "Before",
        "newer": "After",
        "more": "More letters",
        "latest": "Latest letters",
        "lost_title": "This letter did not arrive.",
        "lost": "Nothing lies at this address. Perhaps a character got lost in copying, or the letter has moved.",
        "empty": "No letter has come out yet.",
        "empty_hint": "The first one will lie here as soon as it is sent.",
        "feeds_lead": "A feed brings every letter into your reader, without an address and without an account. Copy one of these lines into it.",
        "count": "{n} letters since {month}",
        "count_one": "One letter since {month}",
        "by": "by {author}",
    },
}


class Words:
    """The words of one language and the dates of one zone."""

    def __init__(self, language: str, timezone: str) -> None:
        self.language = language if language in WORDS else "en"
        self._words = WORDS[self.language]
        self._zone = ZoneInfo(timezone)

    def __call__(self, key: str, **values: object) -> str:
        return self._words[key].format(**values)

    def day(self, moment: datetime) -> str:
        """„3. November 2026“"""
        local = moment.astimezone(self._zone)
        dot = "." if self.language == "de" else ""
        return f"{local.day}{dot}\u00a0{MONTHS[self.language][local.month - 1]} {local.year}"

    def short(self, moment: datetime) -> str:
        """„3. Nov.“"""
        local = moment.astimezone(self._zone)
        dot = "." if self.language == "de" else ""
        return f"{local.day}{dot}\u00a0{SHORT[self.language][local.month - 1]}"

    def month(self, moment: datetime) -> str:
        """„November 2026“"""
        local = moment.astimezone(self._zone)
        return f"{MONTHS[self.language][local.month - 1]} {local.year}"

    def minutes(self, number: int) -> str:
        return f"{number}\u00a0{self('minute' if number == 1 else 'minutes')}"

    def iso(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).isoformat(timespec="seconds")
