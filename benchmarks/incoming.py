"""What comes back, at its limits: mails understood in a second beside the standard library's parser alone, and a hundred thousand broken ones.

python benchmarks/incoming.py [--mutations N]
"""

import email
import email.policy
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from newsletter.conversations.showing import formatted
from newsletter.mail.incoming.letter import written
from newsletter.mail.incoming.mime import read
from newsletter.mail.incoming.verdict import judge
from tests.mail.incoming.test_verdict import SAMPLES, mutated
from tests.support.bounces import real_samples


def main() -> None:
    """Print both figures as one JSON document; an exception ends the run, and names the mail it came from."""
    wanted = int(sys.argv[sys.argv.index("--mutations") + 1]) if "--mutations" in sys.argv else 0
    raws = [path.read_bytes() for path in [*SAMPLES, *real_samples()]]
    found: dict[str, object] = {"samples": len(raws)}
    if wanted:
        found["mutations"] = _shaken(raws, wanted)
    else:
        ours, theirs = _rate(judge, raws), _rate(_parsed, raws)
        found |= {"per_second": round(ours), "limit": round(theirs), "ratio": round(ours / theirs, 2)}
    print(json.dumps(found))


def _parsed(raw: bytes) -> object:
    """What the standard library does alone: the tree, and the text of the first part; it understands nothing yet."""
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    return next((part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()), b"")


def _rate(work: Callable[[bytes], object], raws: list[bytes], seconds: float = 5.0) -> float:
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        for raw in raws:
            work(raw)
        done += len(raws)
    return done / (time.perf_counter() - begin)


def _shaken(raws: list[bytes], wanted: int) -> int:
    chance = random.Random(20_261)
    for number in range(wanted):
        raw = mutated(chance, raws)
        try:
            judge(raw)
            mail = read(raw)
            written(mail)
            formatted(mail, str)
        except Exception:
            place = Path(f"mutation-{number}.eml")
            place.write_bytes(raw)
            print(f"{place} raises", file=sys.stderr)
            raise
    return wanted


if __name__ == "__main__":
    main()
