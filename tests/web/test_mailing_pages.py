"""The pages of a mailing that is over, and the house that is frozen."""

import json
from pathlib import Path

from newsletter.accounts.actions import state_fact
from newsletter.deliveries import queries, sending
from newsletter.process import Process
from newsletter.transports.actions import choose
from tests.conftest import Browser
from tests.deliveries.conftest import QUICK
from tests.support import cast
from tests.support.faults import FaultyServer
from tests.test_run import call


def sent(mira: Browser, process: Process, faults: FaultyServer, readers: int = 3) -> None:
    """Mira's first letter, as far as the server plays along."""
    for number in range(readers):
        cast.reader(process, 1, f"leser{number}@gmx.de", f"=Leser {number}")
    cast.issue(process, 1)
    with process.writing() as session:
        choose(session, process.tokens, address=faults.url, now=process.clock())
    assert mira.post("/admin/saatbrief/issues/1/send").status_code == 303
    with process.writing() as session:
        from newsletter.deliveries import actions

        actions.begin(session, 1, now=process.clock())
    sending.send(process, 1, QUICK)


def test_who_missed_a_letter_comes_as_a_table_and_can_be_tried_once_more(mira: Browser, process: Process) -> None:
    with FaultyServer({"rcpt": "554 5.2.2 mailbox full"}) as faults:
        sent(mira, process, faults)
        page = mira.get("/admin/saatbrief/mailings/1").get_data(as_text=True)
        assert "3 Menschen könnten noch einmal versucht werden" in page
        table = mira.get("/admin/saatbrief/mailings/1/missed.csv")
        assert table.mimetype == "text/csv"
        lines = table.get_data().decode("utf-8-sig").splitlines()
        assert len(lines) == 4
        assert "leser0@gmx.de,'=Leser 0,refused,554," in lines[1]
        providers = mira.get("/admin/saatbrief/mailings/1/providers").get_data(as_text=True)
        assert "GMX, WEB.DE" in providers
        faults.plan = {}
        mira.post("/admin/saatbrief/mailings/1/retry")
        sending.send(process, 1, QUICK)
    with process.reading() as session:
        assert queries.counts(session, 1)["accepted"] == 3


def test_p9_a_frozen_house_says_so_and_an_owner_lets_letters_leave_again(mira: Browser, process: Process) -> None:
    with process.writing() as session:
        state_fact(session, name="frozen", value="yes", now=process.clock())
    assert "Eine ältere Kopie der Datenbank wurde eingespielt" in mira.get("/admin/saatbrief/").get_data(as_text=True)
    mira.post("/admin/saatbrief/thaw")
    assert "ältere Kopie" not in mira.get("/admin/saatbrief/").get_data(as_text=True)


def test_the_console_settles_by_a_postfix_log(mira: Browser, process: Process, tmp_path: Path) -> None:
    with FaultyServer({"dot": "taken close"}) as faults:
        sent(mira, process, faults)
        first = faults.message_ids[0]
    log = tmp_path / "mail.log"
    log.write_text(f"Nov 21 09:00:01 mail postfix/cleanup[7]: 4F2A: message-id={first}\nNov 21 noise\n", "utf-8")
    data_dir = process.settings.data_dir
    found = json.loads(call(data_dir, "mailing", "evidence", "1", "--log", str(log), "--json").stdout)
    assert found == {"id": 1, "accepted": 1, "planned": 0, "uncertain": 2}
    found = json.loads(call(data_dir, "mailing", "evidence", "1", "--log", str(log), "--complete", "--json").stdout)
    assert found == {"id": 1, "accepted": 0, "planned": 2, "uncertain": 0}
    assert json.loads(call(data_dir, "mailing", "thaw", "--json").stdout) == {"frozen": False}
