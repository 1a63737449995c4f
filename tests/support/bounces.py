"""Real bounces that people have collected; they have licences of their own, and stay outside."""

import os
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("BRIEFTAUBE_BOUNCE_SAMPLES", HOUSE.parent / "shared" / "data" / "bounces"))


def real_samples() -> list[Path]:
    """Every mail of the collection; none where it is missing."""
    return sorted(FOLDER.rglob("*.eml"))
