"""Real hosts for the archive: OpenSSH, a WebDAV server, an S3 server; each without root."""

import contextlib
import os
import pwd
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import waitress

from tests.support.required import missing
from tests.support.services import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Host:
    """A server that a test may stop.

    Args:
        folder: where its files lie on this machine.
    """

    place: str
    secret: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0


@contextlib.contextmanager
def sshd(home: Path) -> Iterator[Host]:
    """OpenSSH on a high port, with a key of its own and one for us."""
    binary = next((path for path in ("/usr/sbin/sshd", shutil.which("sshd")) if path and Path(path).exists()), None)
    if binary is None or shutil.which("sftp") is None or shutil.which("ssh-keygen") is None:
        missing("ssh", "OpenSSH is not installed")
    home.mkdir(parents=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a privileged sshd locks itself in
    for name in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True)
    port = free_port()
    (home / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home / 'host'}\nPidFile {home / 'pid'}\nAuthorizedKeysFile {home / 'own.pub'}\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n"
    )
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([str(binary), "-D", "-e", "-f", str(home / "config")], stderr=log, stdout=log)
    try:
        _wait_for_ssh(port, process, home)
        user = pwd.getpwuid(os.geteuid()).pw_name
        yield Host(f"ssh://{user}@127.0.0.1:{port}{home / 'www'}", (home / "own").read_text(), home / "www", process, port)
    finally:
        process.terminate()
        process.wait(20)


def _wait_for_ssh(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    for _ in range(100):
        if subprocess.run(["ssh-keyscan", "-p", str(port), "127.0.0.1"], capture_output=True, check=False).stdout:
            return
        if process.poll() is not None:
            missing("ssh", (home / "log").read_text()[-300:])
        time.sleep(0.1)
    raise TimeoutError("sshd")


@contextlib.contextmanager
def webdav(folder: Path) -> Iterator[Host]:
    """WsgiDAV, with a name and a password."""
    from wsgidav.wsgidav_app import WsgiDAVApp

    folder.mkdir(parents=True)
    users = {"*": {"mira": {"password": "geheim"}}}
    app = WsgiDAVApp({"provider_mapping": {"/": str(folder)}, "simple_dc": {"user_mapping": users}, "verbose": 0, "logging": {"enable": False}})
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Host(f"http://127.0.0.1:{server.effective_port}/www/", "mira:geheim", folder / "www", port=server.effective_port)
    finally:
        server.close()
        thread.join(10)


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[Host]:
    """Versity's S3 gateway over a folder; it checks signatures as S3 does."""
    binary = shutil.which("versitygw") or next((str(path) for path in [ROOT / ".tools" / "go" / "versitygw"] if path.is_file()), None)
    if binary is None:
        missing("s3", "versitygw is not installed (make .tools/go/versitygw)")
    (folder / "letters").mkdir(parents=True)
    port = free_port()
    environment = os.environ | {"ROOT_ACCESS_KEY": "mira", "ROOT_SECRET_KEY": "sehr-geheim"}
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen([str(binary), "--port", f"127.0.0.1:{port}", "posix", str(folder)], env=environment, stdout=log, stderr=log)
    try:
        for _ in range(150):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
            if _answers(port):
                break
            time.sleep(0.1)
        yield Host(f"s3://letters/archiv?endpoint=http://127.0.0.1:{port}&region=us-east-1", "mira:sehr-geheim", folder / "letters" / "archiv", process, port)
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
