"""Every target against the real thing: OpenSSH, git, WebDAV, S3, a folder."""

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive_site.build import take_back
from archive_site.mirror import mirror, verify
from archive_site.targets import KINDS, S3, Account, Target, TargetRefused
from tests.archive_site.conftest import Shelf, letter, make, tree
from tests.support import hosts
from tests.support.required import missing

Place = Callable[[], dict[str, bytes]]


@pytest.fixture(params=["folder", "rsync", "sftp", "git", "git over ssh", "webdav", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Target, Place, Path]]:
    """A target, what lies there, and the folder in which it lies, for those who want to change it by hand."""
    kind, home = request.param, tmp_path / "home"
    with contextlib.ExitStack() as stack:
        if kind == "folder":
            place, secret, folder = str(tmp_path / "elsewhere"), "", tmp_path / "elsewhere"
        elif kind == "webdav":
            host = stack.enter_context(hosts.webdav(tmp_path / "dav"))
            place, secret, folder = host.place, host.secret, host.folder
        elif kind == "s3":
            host = stack.enter_context(hosts.s3(tmp_path / "s3"))
            place, secret, folder = host.place, host.secret, host.folder
        elif kind == "git":
            folder = bare(tmp_path / "there.git")
            place, secret = str(folder), ""
        else:
            if kind == "rsync" and shutil.which("rsync") is None:
                missing("ssh", "rsync is not installed")
            host = stack.enter_context(hosts.sshd(tmp_path / "ssh"))
            place, secret, folder = host.place, host.secret, host.folder
            if kind == "git over ssh":
                place = place.replace("/www", "/there.git")
                folder = bare(host.folder.parent / "there.git")
        made = KINDS[kind.partition(" ")[0]](Account(place, secret, home))
        yield made, (lambda: checkout(folder, tmp_path)) if kind.startswith("git") else (lambda: tree(folder)), folder


def bare(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    return folder


def checkout(folder: Path, tmp_path: Path) -> dict[str, bytes]:
    copy = tmp_path / "checkout"
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(folder), str(copy)], check=True)
    shutil.rmtree(copy / ".git")
    return tree(copy)


def spoil(place: Target, folder: Path, tmp_path: Path, path: str) -> None:
    """Somebody changes a file by hand."""
    if (folder / "HEAD").is_file():
        copy = tmp_path / "by-hand"
        subprocess.run(["git", "clone", "--quiet", str(folder), str(copy)], check=True)
        (copy / path).write_text("by hand")
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(copy), *who, "commit", "--quiet", "-am", "by hand"], check=True)
        subprocess.run(["git", "-C", str(copy), "push", "--quiet"], check=True)
        shutil.rmtree(copy)
    elif isinstance(place, S3):
        place._obstore.put(place._store, f"archiv/{path}", b"by hand")  # the gateway knows nothing of what happens below it
    else:
        (folder / path).write_text("by hand")


def test_an_archive_arrives_follows_changes_and_is_mended(shelf: Shelf, tmp_path: Path, target: tuple[Target, Place, Path]) -> None:
    place, there, folder = target
    out = tmp_path / "out"
    make(shelf, out)
    done = mirror(out, "1", place)
    assert there() == tree(out)
    assert (done.files, done.removed) == (len(tree(out)), 0)
    # Nothing has changed: nothing is sent.
    assert (mirror(out, "1", place).sent, verify(out, "1", place)) == (0, [])
    # A letter comes, one goes.
    shelf.put(letter(6))
    del shelf.kept[1]
    report = make(shelf, out)
    done = mirror(out, "1", place)
    assert there() == tree(out)
    assert (done.sent, done.removed) == (len(report.written), len(report.removed))
    # Somebody changes a file there: it is found and mended.
    spoil(place, folder, tmp_path, "index.html")
    assert there()["index.html"] == b"by hand"
    assert verify(out, "1", place) == ["index.html"]
    mirror(out, "1", place)
    assert there() == tree(out)


def test_what_a_broken_try_has_sent_is_not_sent_again(shelf: Shelf, tmp_path: Path) -> None:
    class Weak(KINDS["folder"]):  # type: ignore[misc]
        left = 70

        def send(self, root: Path, changed: list[str], removed: list[str]) -> Iterator[str]:
            for path in super().send(root, changed, removed):
                self.left -= 1
                if self.left < 0:
                    raise TargetRefused("the line broke")
                yield path

    for number in range(6, 40):
        shelf.put(letter(number))
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    make(shelf, out)
    place = Weak(Account(str(elsewhere), "", tmp_path / "home"))
    with pytest.raises(TargetRefused, match="the line broke"):
        mirror(out, "1", place)
    place.left = 10_000
    assert mirror(out, "1", place).sent == len(tree(out)) - 70
    assert tree(elsewhere) == tree(out)


def test_pages_arrive_before_the_lists_that_name_them_and_deletions_come_last(shelf: Shelf, tmp_path: Path) -> None:
    order: list[str] = []

    class Watching(KINDS["folder"]):  # type: ignore[misc]
        def send(self, root: Path, changed: list[str], removed: list[str]) -> Iterator[str]:
            for path in super().send(root, changed, removed):
                order.append(path)
                yield path

    out = tmp_path / "out"
    make(shelf, out)
    place = Watching(Account(str(tmp_path / "elsewhere"), "", tmp_path / "home"))
    mirror(out, "1", place)
    order.clear()
    shelf.put(letter(6))
    del shelf.kept[1]
    make(shelf, out)
    mirror(out, "1", place)
    at = order.index
    assert at("brief-6/index.html") < at("index.html") < at("sitemap-0.xml") < at("manifest.json") < at("brief-1/index.html")
    assert at("brief-6/index.html") < at("atom.xml")


def test_an_archive_that_was_taken_back_is_not_taken_away_from_targets(shelf: Shelf, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    make(shelf, out)
    place = KINDS["folder"](Account(str(elsewhere), "", tmp_path / "home"))
    shelf.put(letter(6))
    make(shelf, out)
    mirror(out, "1", place)
    before = tree(elsewhere)
    assert take_back(out)
    with pytest.raises(TargetRefused, match="built first"):
        mirror(out, "1", place)
    assert tree(elsewhere) == before
    make(shelf, out)
    mirror(out, "1", place)
    assert tree(elsewhere) == tree(out)


def test_a_server_that_nobody_reaches_is_said_in_a_sentence(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    for kind, place, secret in (
        ("rsync", "ssh://nobody@127.0.0.1:1/www", "key"),
        ("sftp", "sftp://nobody@127.0.0.1:1/www", "key"),
        ("git", "ssh://git@127.0.0.1:1/there.git", "key"),
        ("webdav", "http://127.0.0.1:1/www/", "a:b"),
        ("s3", "s3://letters?endpoint=http://127.0.0.1:1", "a:b"),
        ("folder", "/nowhere/at/all", ""),
    ):
        with pytest.raises(TargetRefused):
            mirror(tmp_path / "out", kind, KINDS[kind](Account(place, secret, tmp_path / "home")))


def test_another_key_of_a_server_is_not_believed(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    with hosts.sshd(tmp_path / "ssh") as host:
        place = KINDS["sftp"](Account(host.place, host.secret, tmp_path / "home"))
        mirror(tmp_path / "out", "1", place)
        known = tmp_path / "home" / "known_hosts"
        with contextlib.ExitStack() as stack:
            other = stack.enter_context(hosts.sshd(tmp_path / "other"))
            lines = [line.replace(f":{host.port}", f":{other.port}") for line in known.read_text().splitlines()]
            known.write_text("\n".join(line for line in lines) + "\n")
            with pytest.raises(TargetRefused, match=r"(?i)host key|verification"):
                mirror(tmp_path / "out", "2", KINDS["sftp"](Account(other.place, other.secret, tmp_path / "home")))


@pytest.mark.parametrize(
    ("kind", "place", "secret"),
    [
        ("folder", "relative", ""),
        ("rsync", "host:/path", ""),
        ("rsync", "ssh://-oProxyCommand=touch x/www", ""),
        ("rsync", "ssh://-oProxyCommand=x@host/www", ""),
        ("sftp", "ssh://host/$(reboot)", ""),
        ("sftp", 'ssh://host/a"b', ""),
        ("sftp", "ssh://host:port/a", ""),
        ("git", "", ""),
        ("git", "ext::sh -c reboot", ""),
        ("git", "--upload-pack=reboot", ""),
        ("webdav", "ftp://host/", ""),
        ("s3", "s3://bucket", ""),
        ("s3", "https://bucket", "a:b"),
    ],
)
def test_a_place_that_is_none_or_means_harm_is_refused(tmp_path: Path, kind: str, place: str, secret: str) -> None:
    with pytest.raises(TargetRefused, match=r"\.$"):
        KINDS[kind](Account(place, secret, tmp_path))


def test_the_archive_at_a_target_needs_nobody(shelf: Shelf, tmp_path: Path) -> None:
    """What lies there is whole by itself: every link of every page leads to a file, and no page loads anything from the program."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    make(shelf, out)
    mirror(out, "1", KINDS["folder"](Account(str(elsewhere), "", tmp_path / "home")))
    shutil.rmtree(tmp_path / ".out.releases")
    out.unlink()
    import re

    for page in elsewhere.rglob("*.html"):
        if page.name == "404.html":
            continue
        for address in re.findall(r'(?:href|src)="([^"#:]+)"', page.read_text()):
            goal = page.parent / address
            assert (goal / "index.html").is_file() or goal.is_file(), (page, address)
    assert (elsewhere / "index.html").is_file()
