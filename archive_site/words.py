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
        "lost_title": "Dieser Brief ist nicht angekommen.",
        "lost": "Unter dieser Adresse liegt nichts. Vielleicht ist beim Abschreiben ein Zeichen verloren gegangen, oder der Brief ist umgezogen.",
        "empty": "Noch ist kein Brief erschienen.",
        "empty_hint": "Der erste liegt hier, sobald er verschickt ist.",
        "feeds_lead": "Ein Feed bringt jeden Brief in dein Leseprogramm, ohne Adresse und ohne Konto. Kopiere eine dieser Zeilen hinein.",
        "count": "{n} Briefe seit {month}",
        "count_one": "Ein Brief seit {month}",
        "by": "von {author}",
        "search": "Suche",
        "search_in": "Im Archiv suchen",
        "find": "Suchen",
        "found_none": "Dazu steht nichts in den Briefen.",
        "found_one": "Ein Brief passt.",
        "found_many": "{n} Briefe passen.",
        "search_broken": "Die Suche ließ sich nicht laden.",
        "without_script": "Die Suche braucht JavaScript, alles andere nicht:",
        "series": "Reihen",
        "series_one": "Reihe",
        "authors": "Wer hier schreibt",
        "author": "Geschrieben von",
        "about": "Über diesen Brief",
        "older_letters": "Ältere Briefe",
        "newer_letters": "Neuere Briefe",
        "or_else": "Oder ohne Adresse:",
        "by_feed": "als Feed lesen",
        "part": "Teil {n} der Reihe",
        "part_before": "Vorher in der Reihe",
        "part_after": "Weiter in der Reihe",
        "from_the_start": "Von vorn lesen:",
        "contents": "Inhalt",
        "related": "Passt dazu",
        "mentions": "Was andere dazu schreiben",
        "answers": "Leserbriefe",
        "years": "Jahre",
        "book": "Dieses Jahr als Buch (EPUB)",
        "no_terms": "Hier steht noch nichts.",
        "what_is_a_feed": "Was ist ein Feed?",
        "feed_is": "Eine kleine Datei, in der die neuesten Briefe vollständig stehen. Ein Leseprogramm holt sie ab und zeigt dir, was neu ist. Niemand erfährt, wer du bist; wenn du genug hast, löschst du die Zeile.",
        "feed_more": "Eigene Feeds gibt es auch für",
        "moved": "Dieser Brief ist umgezogen:",
        "in_german": "Diesen Brief auf Deutsch lesen",
        "in_english": "Diesen Brief auf Englisch lesen",
        "privacy_1": "Diese Seiten setzen keine Cookies, zählen niemanden und laden nichts von fremden Servern. Wie jeder Webserver sieht der Rechner, auf dem sie liegen, die Adresse deines Geräts, solange er dir antwortet.",
        "privacy_2": "Nur wenn du den Brief bestellst, wird etwas gespeichert: deine E-Mail-Adresse und wie du hierher kamst. Du bestätigst die Bestellung in der ersten Mail und beendest sie mit einem Klick in jeder.",
        "privacy_more": "Alles Weitere steht beim Bestellformular",
        "card": "{title} – {site}, {day}",
        "by_year": "{site} {year}",
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
        "lost_title": "This letter did not arrive.",
        "lost": "Nothing lies at this address. Perhaps a character got lost in copying, or the letter has moved.",
        "empty": "No letter has come out yet.",
        "empty_hint": "The first one will lie here as soon as it is sent.",
        "feeds_lead": "A feed brings every letter into your reader, without an address and without an account. Copy one of these lines into it.",
        "count": "{n} letters since {month}",
        "count_one": "One letter since {month}",
        "by": "by {author}",
        "search": "Search",
        "search_in": "Search the archive",
        "find": "Search",
        "found_none": "No letter says anything about that.",
        "found_one": "One letter matches.",
        "found_many": "{n} letters match.",
        "search_broken": "The search could not be loaded.",
        "without_script": "The search needs JavaScript, nothing else does:",
        "series": "Series",
        "series_one": "Series",
        "authors": "Who writes here",
        "author": "Written by",
        "about": "About this letter",
        "older_letters": "Older letters",
        "newer_letters": "Newer letters",
        "or_else": "Or without an address:",
        "by_feed": "read it as a feed",
        "part": "Part {n} of the series",
        "part_before": "Before in the series",
        "part_after": "Next in the series",
        "from_the_start": "Read from the start:",
        "contents": "Contents",
        "related": "Goes well with it",
        "mentions": "What others write about it",
        "answers": "Letters from readers",
        "years": "Years",
        "book": "This year as a book (EPUB)",
        "no_terms": "Nothing is here yet.",
        "what_is_a_feed": "What is a feed?",
        "feed_is": "A small file that holds the latest letters in full. A reading program fetches it and shows you what is new. Nobody learns who you are; when you have had enough, you delete the line.",
        "feed_more": "There are feeds of their own for",
        "moved": "This letter has moved:",
        "in_german": "Read this letter in German",
        "in_english": "Read this letter in English",
        "privacy_1": "These pages set no cookies, count nobody and load nothing from other servers. Like every web server, the machine they lie on sees the address of your device while it answers you.",
        "privacy_2": "Only if you subscribe is anything kept: your mail address and how you came here. You confirm in the first mail, and you leave with one click in every mail.",
        "privacy_more": "Everything else stands beside the sign-up form",
        "card": "{title} – {site}, {day}",
        "by_year": "{site} {year}",
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

    def locale(self, language: str) -> str:
        """The language as OpenGraph wants it."""
        return {"de": "de_DE", "en": "en_GB"}.get(language or self.language, language or self.language)

    def in_language(self, language: str) -> str:
        """An invitation to read a letter in another language, said in the reader's."""
        return self({"de": "in_german", "en": "in_english"}.get(language, "in_english"))

    def year(self, moment: datetime) -> int:
        return moment.astimezone(self._zone).year

    def iso(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).isoformat(timespec="seconds")
