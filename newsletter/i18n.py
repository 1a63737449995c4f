"""German and English. The English sentence is the key; ``locales/de.po`` holds the German one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from newsletter.errors import Refused

LANGUAGES = ("de", "en")
LOCALES = Path(__file__).with_name("locales")


def mark(sentence: str) -> str:
    """Marks a sentence for translation where it is written; it is translated where it is shown."""
    return sentence


@cache
def catalog(language: str) -> NullTranslations:
    """The sentences of a language. Compiled in memory, so that no step of building can be forgotten."""
    file = LOCALES / f"{language}.po"
    if not file.exists():
        return NullTranslations()
    with file.open("rb") as stream:
        messages = read_po(stream, locale=language)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


@dataclass(frozen=True)
class Speech:
    """How one reader is spoken to: language and time zone."""

    language: str
    timezone: str = "Europe/Berlin"

    @property
    def locale(self) -> Locale:
        return Locale.parse("en_GB" if self.language == "en" else self.language)

    def __call__(self, sentence: str, /, **values: object) -> str:
        text = self._typeset(str(catalog(self.language).ugettext(sentence)))
        return text % values if values else text

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The right form for a count, which fills ``%(n)s`` in the reader's way of writing numbers."""
        text = self._typeset(str(catalog(self.language).ungettext(one, many, count)))
        return text % {"n": self.number(count), **values}

    def _typeset(self, text: str) -> str:
        # The source keeps the typewriter's apostrophe; readers get the right one.
        return text.replace("'", "\u2019") if self.language == "en" else text

    def refusal(self, error: Refused) -> str:
        """The sentence of a refusal. A value that is a sentence of ours is said in the reader's language, too."""
        return self(error.message, **{name: self(value) if isinstance(value, str) and value else value for name, value in error.values.items()})

    def reason(self, text: str) -> str:
        """What a server said, or what we wrote down in its place; the phase before it is for the log."""
        phase, colon, rest = text.partition(": ")
        return self(rest if colon and phase.isalpha() and phase.islower() else text) if text else ""

    def number(self, value: float) -> str:
        return numbers.format_decimal(value, locale=self.locale)

    def percent(self, part: int, whole: int) -> str:
        """„98,8 %“, with a no-break space."""
        share = 100 * part / whole if whole else 0.0
        text = numbers.format_decimal(round(share, 1), locale=self.locale)
        return f"{text}\u00a0%" if self.language == "de" else f"{text}%"

    def euros(self, cents: float) -> str:
        """„12,50 €“; what is less than ten cents with its fractions."""
        whole = cents == 0 or cents >= 10
        amount = Decimal(str(cents)) / 100
        return numbers.format_currency(
            amount.quantize(Decimal("0.01"), ROUND_HALF_UP) if whole else amount, "EUR", locale=self.locale, decimal_quantization=whole
        )

    def decimal(self, value: float, places: int = 2) -> str:
        """„0,30“"""
        return numbers.format_decimal(value, f"#,##0.{'0' * places}", locale=self.locale)

    def day(self, moment: datetime | date, pattern: str = "long") -> str:
        """A date; a moment is shown in the speech's zone."""
        return dates.format_date(self._local(moment), pattern, locale=self.locale)

    def short_day(self, moment: datetime | date) -> str:
        """„3. Nov.“"""
        return dates.format_date(self._local(moment), "d. MMM" if self.language == "de" else "d MMM", locale=self.locale)

    def weekday(self, moment: datetime) -> str:
        """„Dienstag, 17. November 2026“"""
        return dates.format_date(self._local(moment), "full", locale=self.locale)

    def time(self, moment: datetime, pattern: str = "H:mm") -> str:
        return dates.format_time(moment, pattern, tzinfo=ZoneInfo(self.timezone), locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """„17. November 2026, 9:00“"""
        return f"{self.day(moment)}, {self.time(moment)}"

    def month(self, moment: datetime | date) -> str:
        return dates.format_skeleton("yMMMM", self._local(moment), locale=self.locale)

    def span(self, much: timedelta) -> str:
        """„3 Tage“"""
        return dates.format_timedelta(much, granularity="minute", threshold=1.2, locale=self.locale).replace(" ", "\u00a0")

    def after(self, much: timedelta) -> str:
        """„(nach) 3 Tagen“: the form that stands behind „seit“ and „nach“."""
        if self.language != "de":
            return self.span(much)
        return (
            dates.format_timedelta(much, granularity="minute", threshold=1.2, add_direction=True, locale=self.locale).removeprefix("in ").replace(" ", "\u00a0")
        )

    def listing(self, words: Iterable[str]) -> str:
        """„Ada, Ben und Cleo“"""
        from babel.lists import format_list

        return format_list(list(words), locale=self.locale)

    def _local(self, moment: datetime | date) -> date:
        return moment.astimezone(ZoneInfo(self.timezone)).date() if isinstance(moment, datetime) else moment


def preferred(header: str, default: str = "de") -> str:
    """The first language of an Accept-Language header that we speak."""
    for part in re.split(r"\s*,\s*", header[:200]):
        language = part.partition(";")[0].partition("-")[0].strip().lower()
        if language in LANGUAGES:
            return language
    return default
