"""Two hundred made-up readers."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST = (
    "Ada", "Anke", "Annegret", "Arne", "Bärbel", "Benno", "Birte", "Carla", "Cem", "Christa", "Clemens", "Dana", "Detlef", "Dörte",
    "Edda", "Elif", "Emil", "Enno", "Erika", "Fatma", "Finn", "Florian", "Frauke", "Friedrich", "Gesine", "Gregor", "Greta", "Hanna",
    "Hauke", "Heike", "Helga", "Henning", "Ida", "Ilse", "Inga", "Jakob", "Jana", "Jonas", "Jule", "Karin", "Karl", "Katrin", "Kirsten",
    "Klaus", "Lars", "Lea", "Lene", "Lorenz", "Lotte", "Luise", "Magda", "Malte", "Marek", "Margit", "Marlene", "Mehmet", "Merle", "Nele",
    "Nils", "Nora", "Oda", "Ole", "Paula", "Peer", "Petra", "Pia", "Ralf", "Rieke", "Rosa", "Rüdiger", "Sabine", "Silke", "Sönke", "Svea",
    "Swantje", "Thea", "Thilo", "Tilda", "Uta", "Uwe", "Vera", "Volker", "Wanda", "Wiebke", "Wolf", "Yara", "Zoe",
)  # fmt: skip
LAST = (
    "Ackermann", "Albers", "Bachmann", "Behrens", "Brandt", "Czaja", "Dietrich", "Döhring", "Ebert", "Ehlers", "Fiedler", "Förster",
    "Gebauer", "Göbel", "Hartwig", "Heinze", "Hesse", "Ilgner", "Jahnke", "Jürgens", "Kaiser", "Kaya", "Köhler", "Krüger", "Lehmann",
    "Lorenz", "Mättig", "Mertens", "Nitsche", "Noack", "Oertel", "Pohl", "Preuß", "Quandt", "Richter", "Rösler", "Schäfer", "Schuster",
    "Seidel", "Sommer", "Thiele", "Ullrich", "Vogel", "Wagner", "Weiß", "Wendt", "Yılmaz", "Ziegler", "Zschau",
)  # fmt: skip
CHANNELS = (
    ("Eigene Website", "owned", 26),
    ("Empfehlung", "owned", 18),
    ("Instagram", "closed", 24),
    ("Markt in Bautzen", "open", 14),
    ("Tauschtag", "open", 8),
    ("Suche", "open", 7),
    ("LinkedIn", "closed", 3),
    ("Mastodon", "open", 6),
    ("WhatsApp-Kanal", "closed", 2),
)
_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "Y": "Y"})


@dataclass(frozen=True)
class Person:
    """One reader: how she came, and whether she stayed."""

    name: str
    email: str
    channel: str
    came: datetime
    confirmed: bool
    left: datetime | None


def people(number: int, first: datetime, last: datetime, seed: int = 7) -> list[Person]:
    """Readers who came between two moments, more of them later. The same seed gives the same people."""
    chance = random.Random(seed)  # noqa: S311 -- a believable list needs no secrets
    names = [channel for channel, _, _ in CHANNELS]
    weights = [weight for _, _, weight in CHANNELS]
    seen: set[str] = set()
    found: list[Person] = []
    while len(found) < number:
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        email = name.lower().translate(_PLAIN).replace(" ", ".") + "@example.org"
        if email in seen:
            continue
        seen.add(email)
        came = first + (last - first) * chance.random() ** 0.8
        found.append(_person(chance, name if chance.random() < 0.85 else "", email, chance.choices(names, weights)[0], came, last))
    return sorted(found, key=lambda person: person.came)


def _person(chance: random.Random, name: str, email: str, channel: str, came: datetime, last: datetime) -> Person:
    recent = (last - came).days < 6
    confirmed = not (recent and chance.random() < 0.6)
    leaves = confirmed and chance.random() < 0.07
    left = came + timedelta(days=chance.uniform(10, 90)) if leaves else None
    return Person(name, email, channel, came, confirmed, left if left and left < last else None)
