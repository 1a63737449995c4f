"""``brieftaube inbound``."""

import json
from pathlib import Path

from click.testing import CliRunner

from newsletter.cli import main

SAMPLES = Path(__file__).parents[1] / "mail" / "incoming" / "samples"


def test_classify_says_what_each_mail_is(tmp_path: Path) -> None:
    letter = tmp_path / "antwort.eml"
    letter.write_bytes(b"From: Ada <ada@example.org>\nTo: post@hof.example\nSubject: Re: Frost\nIn-Reply-To: <1@hof.example>\n\nDanke!\n")
    nobody = next(path for path in sorted(SAMPLES.glob("*.eml")) if b"5.1.1" in path.read_bytes())
    result = CliRunner().invoke(main, ["inbound", "classify", "--json", str(nobody), str(letter)])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [set(row) >= {"file", "kind", "class", "recipients"} for row in rows] == [True, True]
    assert (rows[0]["kind"], rows[0]["class"]) == ("bounce", "dead")
    assert rows[0]["recipients"][0]["status"] == "5.1.1"
    assert (rows[1]["kind"], rows[1]["class"], rows[1]["recipients"]) == ("reply", "", [])


def test_classify_of_a_missing_file_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["inbound", "classify", str(tmp_path / "nichts.eml")])
    assert result.exit_code == 1
    assert "no such file" in result.stderr
