"""A real browser: Debian's or any other that is installed, or the one that comes inside an npm package."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.required import missing

FOLDER = Path(__file__).resolve().parent.parent / "browser"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

# The package unpacks itself when it is asked where it is.
WHERE = (
    "import c from '@sparticuz/chromium'; c.setGraphicsMode = false; "
    "console.log(JSON.stringify([await c.executablePath(), c.args, process.env.LD_LIBRARY_PATH ?? '']))"
)


def find() -> tuple[str, list[str], dict[str, str]]:
    """Program, arguments and environment."""
    installed = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if installed:
        return installed, FLAGS, {}
    if not (FOLDER / "node_modules" / "@sparticuz").exists() or not shutil.which("node"):
        missing("browser", "neither chromium nor npm's @sparticuz/chromium is there; install one of them")
    environment = os.environ | {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x", "AWS_LAMBDA_JS_RUNTIME": "nodejs20.x"}
    done = subprocess.run(["node", "--input-type=module", "-e", WHERE], cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        missing("browser", done.stderr[-500:])
    program, arguments, libraries = json.loads(done.stdout.strip().splitlines()[-1])
    return program, [*arguments, *FLAGS], {"LD_LIBRARY_PATH": libraries}


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A running browser."""
    program, arguments, environment = find()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=list(dict.fromkeys(arguments)), env=os.environ | environment)
        yield found
        found.close()


def axe() -> str:
    """The accessibility checker as a script."""
    file = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        missing("browser", "npm's axe-core is not installed in tests/browser")
    return file.read_text("utf-8")
