"""Lists from elsewhere: looked at, taken over, taken back; never bringing anybody back who left (L1, L2, B7, C8, C9)."""

import csv
import io
import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter.errors import Refused
from newsletter.growth.queries import total
from newsletter.imports import actions, parsing, queries, running
from newsletter.imports.forms import list_as_csv, list_as_json
from newsletter.imports.models import Import
from newsletter.process import Process
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.consents import intact
from newsletter.subscriptions.models import Consent, Subscriber, Subscription, Suppression
from newsletter.subscriptions.queries import consents_of, tags_of, wordings_of
from tests.conftest import Browser
from tests.support import cast

BASIS = "Im alten Programm per Double-Opt-in bestätigt."


def bring(process: Process, data: str, name: str = "liste.csv", *, dry: bool = False, mapping: tuple[str, ...] = (), **values: str) -> Import:
    folder = process.settings.data_dir / "hier"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(data, "utf-8")
    return running.bring(process, folder / name, "saatbrief", mapping=mapping, dry=dry, values={"basis": BASIS} | values)


def states(process: Process) -> dict[str, str]:
    with process.reading() as session:
        return dict(session.execute(select(Subscriber.canonical, Subscription.state).join(Subscription, Subscription.subscriber_id == Subscriber.id)).all())


def refused(process: Process, job: Import) -> list[tuple[int, str]]:
    with process.reading() as session:
        return [(row.row, row.reason) for row in queries.refused(session, job.id)]


LIST = 'email,name,status,joined,tags,ort\nada@example.org,Ada,active,2024-03-04,"VIP, Messe",Kiel\nben@example.org,Ben,unsubscribed,2023-01-01,,\n'


def test_l1_l2_a_list_comes_with_basis_evidence_and_consents(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    job = bring(process, LIST, mapping=("ort=field:ort",), evidence="Export vom 12. März")
    assert (job.rows, job.added, job.ended, job.refused, job.state) == (2, 1, 1, 0, "done")
    assert states(process) == {"ada@example.org": "active", "ben@example.org": "unsubscribed"}
    with process.reading() as session:
        ada = session.scalars(select(Subscription).order_by(Subscription.id)).first()
        chain = consents_of(session, ada.id)
        wordings = wordings_of(session, chain)
        assert intact(chain, wordings)
        assert [(row.kind, wordings[row.wording_id].text, row.evidence) for row in chain] == [("imported", BASIS, "Export vom 12. März")]
        assert (ada.answers, {tags_of(session, publication_id)[int(one)] for one in ada.tags.split(",") if one}) == ('{"ort":"Kiel"}', {"VIP", "Messe"})
        assert ada.confirmed_at.year == 2024
        assert total(session, publication_id, "joined", ada.confirmed_at) == 1


def test_whoever_was_in_a_pause_there_is_not_written_to_here(process: Process) -> None:
    cast.publication(process)
    job = bring(process, "email,status\nada@example.org,paused\nben@example.org,active\n")
    assert (job.added, job.ended) == (2, 0)
    assert states(process) == {"ada@example.org": "paused", "ben@example.org": "active"}


def test_a_dry_run_says_everything_and_changes_nothing(process: Process) -> None:
    cast.publication(process)
    job = bring(process, LIST + "kaputt,x,active\nada@example.org,Ada,active\n", dry=True)
    assert (job.state, job.added, job.ended, job.refused) == ("checked", 1, 1, 2)
    assert refused(process, job) == [(4, "bad address"), (5, "twice")]
    assert states(process) == {}


def test_l1_without_a_basis_nobody_comes(process: Process) -> None:
    cast.publication(process)
    with pytest.raises(Refused, match="why these people"):
        bring(process, LIST, basis="weil")
    assert states(process) == {}


def test_b7_c9_nobody_comes_back_by_a_file(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    cast.reader(process, publication_id, "left@example.org", state="unsubscribed")
    with process.writing() as session:
        for email, reason, place in (("dead@example.org", "dead", None), ("spam@example.org", "complaint", 1), ("erased@example.org", "erased", 1)):
            subscriptions.suppress(session, process.tokens, canonical=email, reason=reason, publication_id=place, now=process.clock())
    job = bring(process, "email\nleft@example.org\nDEAD@example.org\nspam@example.org\nerased@example.org\nada@example.org\n")
    assert refused(process, job) == [(2, "left"), (3, "suppressed"), (4, "suppressed"), (5, "suppressed")]
    assert states(process) == {"left@example.org": "unsubscribed", "ada@example.org": "active"}


def test_l10_a_complaint_elsewhere_is_no_complaint_here(process: Process) -> None:
    cast.publication(process)
    other = cast.publication(process, "anderer")
    with process.writing() as session:
        subscriptions.suppress(session, process.tokens, canonical="ada@example.org", reason="complaint", publication_id=other, now=process.clock())
    bring(process, "email\nada@example.org\n")
    assert states(process) == {"ada@example.org": "active"}


def test_those_who_were_blocked_there_are_blocked_here_and_leave_if_a_file_brought_them(process: Process) -> None:
    cast.publication(process)
    cast.reader(process, 1, "selbst@example.org")
    bring(process, "email\nada@example.org\n")
    job = bring(process, "email,status\nada@example.org,cleaned\nselbst@example.org,unsubscribed\nneu@example.org,complained\n")
    assert (job.ended, job.unchanged) == (2, 1)
    assert states(process) == {"ada@example.org": "unsubscribed", "selbst@example.org": "active"}
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Suppression)) == 2


def test_whoever_is_known_is_told_more_about_and_never_less(process: Process) -> None:
    cast.publication(process)
    cast.reader(process, 1, "ada@example.org", "Ada Lorenzen")
    cast.reader(process, 1, "ben@example.org", "")
    job = bring(process, "email,name,tags,ort\nada@example.org,Andere,VIP,\nben@example.org,Ben,,Bonn\n", mapping=("ort=field:ort",))
    assert (job.added, job.updated) == (0, 2)
    with process.reading() as session:
        rows = dict(session.execute(select(Subscriber.name, Subscription.answers).join(Subscription, Subscription.subscriber_id == Subscriber.id)).all())
    assert rows == {"Ada Lorenzen": "{}", "Ben": '{"ort":"Bonn"}'}
    again = bring(process, "email,name,tags\nada@example.org,Andere,VIP\n")
    assert (again.updated, again.unchanged) == (0, 1)


def test_a_list_is_taken_back_but_for_those_who_decided_something_themselves(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    cast.reader(process, publication_id, "alt@example.org", "")
    job = bring(process, "email,name,tags\nada@example.org,Ada,x\nben@example.org,Ben,\nalt@example.org,Alt,y\n")
    with process.writing() as session:
        ben = session.scalars(select(Subscriber).where(Subscriber.email == "ben@example.org")).one()
        row = session.scalars(select(Subscription).where(Subscription.subscriber_id == ben.id)).one()
        subscriptions.end(session, row, ben, how="test", now=process.clock())
        actions.undo(session, session.get_one(Import, job.id))
    running.run(process, job.id)
    assert states(process) == {"alt@example.org": "active", "ben@example.org": "unsubscribed"}
    with process.reading() as session:
        alt = session.scalars(select(Subscription).where(Subscription.import_id.is_(None)).order_by(Subscription.id)).first()
        assert alt.tags == ""
        assert session.get_one(Import, job.id).state == "undone"
        assert session.scalar(select(func.count()).select_from(Subscriber).where(Subscriber.email == "ada@example.org")) == 0
        assert total(session, publication_id, "joined", process.clock()) == 1


def test_an_import_that_stopped_goes_on_where_it_was(any_process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    process = any_process
    cast.publication(process)
    monkeypatch.setattr(parsing, "CHUNK", 10)
    rows = "".join(f"leser{number}@example.org\n" for number in range(95))
    seen = []
    write = running.Writer.write

    def stop(self: object, session: object, rows: list[object], **more: object) -> object:
        seen.append(len(rows))
        if len(seen) == 4:
            process.stopping.set()
        return write(self, session, rows, **more)

    monkeypatch.setattr(running.Writer, "write", stop)
    job = bring(process, "email\n" + rows)
    assert (job.state, job.rows) == ("running", 40)
    process.stopping.clear()
    with process.reading() as session:
        assert queries.due(session, process.clock()) == [job.id]
    running.run(process, job.id)
    with process.reading() as session:
        done = session.get_one(Import, job.id)
        assert (done.state, done.rows, done.added) == ("done", 95, 95)
    assert len(states(process)) == 95


CHILD = """
import sys
from newsletter import process as processes
from newsletter.imports import parsing, running
from newsletter.settings import load
parsing.CHUNK = 200
process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=sys.argv[1]))
running.run(process, int(sys.argv[2]))
"""


def killed_once_it_got_on(process: Process, import_id: int, child: subprocess.Popen[bytes]) -> bool:
    """Kill a child as soon as it has written something; False when it was done before."""
    with process.reading() as session:
        before = session.scalar(select(Import.place).where(Import.id == import_id))
    while child.poll() is None:
        with process.reading() as session:
            if session.scalar(select(Import.place).where(Import.id == import_id)) > before:
                child.send_signal(signal.SIGKILL)
                child.wait()
                return True
        time.sleep(0.002)
    return False


def test_c9_an_import_that_is_killed_in_the_middle_continues_and_nobody_is_there_twice(process: Process, tmp_path: Path) -> None:
    cast.publication(process)
    path = tmp_path / "viele.csv"
    path.write_text("email\n" + "".join(f"leser{number}@example.org\n" for number in range(6_000)))
    with process.writing() as session, path.open("rb") as stream:
        job = actions.receive(session, process.settings, publication_id=1, editor_id=None, stream=stream, file_name="viele.csv", now=process.clock())
        actions.prepare(session, job, values={"mapping": job.mapping, "basis": BASIS}, zone="UTC")
        job.state = "checked"
        actions.start(session, job)
    kills = 0
    for _ in range(60):
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(CHILD), str(process.settings.data_dir), str(job.id)])
        kills += killed_once_it_got_on(process, job.id, child)
        with process.writing() as session:
            actions.free_all(session)
            found = session.get_one(Import, job.id, populate_existing=True)
            numbers = session.scalar(select(func.count()).select_from(Subscription)), session.scalar(select(func.count()).select_from(Consent))
            assert numbers == (found.added, found.added)
            if found.state == "done":
                break
    assert (found.state, found.rows, found.added) == ("done", 6_000, 6_000)
    assert kills > 3


def test_two_imports_at_once_share_the_same_people(any_process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    process = any_process
    cast.publication(process)
    monkeypatch.setattr(parsing, "CHUNK", 50)
    first = "email\n" + "".join(f"leser{number}@example.org\n" for number in range(600))
    second = "email\n" + "".join(f"leser{number}@example.org\n" for number in range(300, 900))
    with ThreadPoolExecutor(2) as pool:
        jobs = list(pool.map(lambda pair: bring(process, pair[1], pair[0]), [("a.csv", first), ("b.csv", second)]))
    assert [job.state for job in jobs] == ["done", "done"]
    assert sum(job.added for job in jobs) == 900
    assert sum(job.unchanged for job in jobs) == 300
    assert len(states(process)) == 900


@pytest.mark.parametrize("tail", ['b@example.org,"nie zu\n', "x" * 1_200_000 + "\n", "b@example.org,\x00\n"])
def test_a_file_that_cannot_be_read_to_its_end_leaves_nothing_half_done(process: Process, tail: str) -> None:
    cast.publication(process)
    data = "email,name\na@example.org,A\n" + tail
    if "\x00" in tail:
        assert refused(process, bring(process, data)) == [(3, "control characters")]
        return
    with pytest.raises(Refused, match="Row 3"):
        bring(process, data)
    assert states(process) == {}


def test_a_large_file_is_read_by_a_process_of_its_own_and_its_faults_arrive(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.publication(process)
    monkeypatch.setattr(parsing, "WORTH_TWO", 100)
    job = bring(process, "email,name\n" + "".join(f"leser{number}@example.org,Leser\n" for number in range(300)) + "kaputt,x\n")
    assert (job.added, refused(process, job)) == (300, [(302, "bad address")])
    broken = process.settings.data_dir / "kaputt.csv"
    broken.write_text("email,name\n" + "x@example.org,y\n" * 20 + 'b@example.org,"nie\n')
    columns = running.mapping_of({"columns": {"0": "email"}}, "UTC")
    with pytest.raises(Refused, match="Row 22"):
        list(parsing.chunks(broken, columns, ",", header=True))


def test_c8_a_list_leaves_safe_for_spreadsheets_and_comes_back_whole(process: Process) -> None:
    cast.publication(process)
    bring(
        process, 'email,name,tags,tel,status\n=cmd@example.org,=1+1,"@x, VIP",+49 30 1,active\nben@example.org,Ben,,,unsubscribed\n', mapping=("tel=field:tel",)
    )
    with process.reading() as session:
        table = "".join(list_as_csv(session, 1))
        lines = [json.loads(line) for line in list_as_json(session, 1)]
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert (rows[0]["email"], rows[0]["name"], rows[0]["answer:tel"], rows[0]["consent_wording"]) == ("'=cmd@example.org", "'=1+1", "'+49 30 1", BASIS)
    assert rows[1]["state"] == "unsubscribed"
    assert (lines[0]["name"], lines[0]["answers"], lines[0]["tags"]) == ("=1+1", {"tel": "+49 30 1"}, ["@x", "VIP"])
    assert lines[0]["consents"][0]["wording"] == BASIS
    with process.writing() as session:
        actions.undo(session, session.get_one(Import, 1))
    running.run(process, 1)
    assert states(process) == {}
    bring(process, table, mapping=("answer:tel=field:tel",))
    with process.reading() as session:
        again = [json.loads(line) for line in list_as_json(session, 1)]
    for key in ("email", "name", "state", "confirmed_at", "tags", "answers"):
        assert [row[key] for row in again] == [row[key] for row in lines], key


def upload(mira: Browser, data: bytes, name: str = "liste.csv") -> str:
    answer = mira.post("/admin/saatbrief/imports/", {"file": (io.BytesIO(data), name)}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def test_the_pages_lead_from_the_file_to_the_people_and_back(mira: Browser, process: Process) -> None:
    place = upload(mira, LIST.encode())
    page = mira.get(place).get_data(as_text=True)
    assert "joined" in page
    columns = {"column-0": "email", "column-1": "name", "column-2": "state", "column-3": "joined", "column-4": "tags", "column-5": "field", "key-5": "ort"}
    assert mira.post(f"{place}/check", columns | {"basis": ""}).status_code == 422
    assert mira.post(f"{place}/check", columns | {"basis": BASIS}).status_code == 303
    assert mira.post(f"{place}/check", columns | {"basis": BASIS, "column-0": ""}).status_code in (409, 422)
    running.run(process, 1)
    assert "Ein Mensch käme mit" in mira.get(place).get_data(as_text=True)
    assert mira.post(f"{place}/run").status_code == 303
    running.run(process, 1)
    assert "Ein Mensch ist mitgekommen" in mira.get(place).get_data(as_text=True)
    assert "Ein Mensch ist mitgekommen" in mira.get(f"{place}?part=1").get_data(as_text=True)
    assert b"ada@example.org" in mira.get("/admin/saatbrief/subscribers/export.csv").data
    assert b"imported" in mira.get("/admin/saatbrief/subscribers/export.jsonl").data
    assert not actions.file_of(process.settings, 1).exists()
    assert mira.post(f"{place}/undo").status_code == 303
    running.run(process, 1)
    assert states(process) == {}
    assert mira.post(f"{place}/run").status_code in (303, 409)


@pytest.mark.parametrize(("data", "words"), [(b"PK\x03\x04", "gepackte Datei"), (b"", "leer"), (b"email\n", "niemanden")])
def test_a_file_that_is_no_list_gets_a_sentence(mira: Browser, process: Process, data: bytes, words: str) -> None:
    answer = mira.post("/admin/saatbrief/imports/", {"file": (io.BytesIO(data), "x.csv")}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert not list(actions.folder(process.settings).iterdir())


def test_a_large_list_is_taken_from_editors_and_not_from_strangers(mira: Browser) -> None:
    # The test client would leave a file of its own open for so large a form.
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    data = b"email\n" + b"".join(b"leser%d@example.org\n" % number for number in range(700_000))
    assert len(data) > 13_000_000
    body = part % (b"csrf_token", b"", mira.token().encode()) + part % (b"file", b'; filename="liste.csv"', data) + b"--x--\r\n"
    answer = mira.client.post("/admin/saatbrief/imports/", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 303
    assert "leser0@example.org" in mira.get(answer.headers["Location"]).get_data(as_text=True)
    stranger = mira.client.application.test_client()
    assert stranger.post("/admin/saatbrief/imports/", data=body, content_type="multipart/form-data; boundary=x").status_code in (400, 413)


def test_a_trouble_is_said_in_the_language_of_whoever_looks(mira: Browser, process: Process) -> None:
    place = upload(mira, b"email,name\n" + b"a@example.org,A\n" * 20 + b'b@example.org,"nie zu\n' + b"c@example.org,C\n" * 9)
    mira.post(f"{place}/check", {"column-0": "email", "basis": BASIS})
    running.run(process, 1)
    assert "Zeile 22: Dort steht ein Anführungszeichen falsch" in mira.get(place).get_data(as_text=True)


def test_the_console_brings_and_takes(process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from click.testing import CliRunner

    from newsletter.cli import main

    cast.publication(process)
    file = tmp_path / "liste.csv"
    file.write_text(LIST + "kaputt\n")
    monkeypatch.setenv("BRIEFTAUBE_DATA_DIR", str(process.settings.data_dir))
    run: Callable[..., object] = lambda *words: CliRunner().invoke(main, ["subscribers", *words])  # noqa: E731 -- short for three calls
    tried = json.loads(run("import", str(file), "--publication", "saatbrief", "--basis", BASIS, "--dry-run", "--json").stdout)
    assert (tried["rows"], tried["added"], tried["refused"]) == (3, 1, [{"row": 4, "email": "kaputt", "reason": "bad address"}])
    done = json.loads(run("import", str(file), "--publication", "saatbrief", "--basis", BASIS, "--json").stdout)
    assert {"rows", "added", "updated", "refused", "seconds"} <= set(done)
    assert "ada@example.org" in run("export", "--publication", "saatbrief").stdout
    assert run("import", str(file), "--publication", "saatbrief", "--basis", BASIS, "--map", "Nirgends=email").exit_code == 1
