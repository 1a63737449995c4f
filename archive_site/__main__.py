"""``python -m archive_site SOURCE OUT [--serve]``"""

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from archive_site.build import build, take_back
from archive_site.folder import FolderSource
from archive_site.source import SourceBroken
from archive_site.themes import ThemeMissing


def main(argv: list[str] | None = None) -> int:
    """Build an archive from an exported folder; give back the exit status."""
    parser = argparse.ArgumentParser(prog="archive_site", description="Build a static archive from an exported folder.")
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--full", action="store_true", help="write every file anew")
    parser.add_argument("--themes", type=Path, help="a folder with themes of your own")
    parser.add_argument("--take-back", action="store_true", help="undo the last build instead")
    parser.add_argument("--serve", action="store_true", help="show the result at http://127.0.0.1:8001")
    arguments = parser.parse_args(argv)
    if arguments.take_back:
        print("The archive is as it was before." if take_back(arguments.out) else "There is nothing to take back.")
        return 0
    try:
        report = build(FolderSource(arguments.source), arguments.out, full=arguments.full, themes=arguments.themes and arguments.themes.absolute())
    except (SourceBroken, ThemeMissing, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for problem in report.problems:
        print(problem, file=sys.stderr)
    print(f"{len(report.written)} files written, {report.unchanged} unchanged, {len(report.removed)} removed, {report.seconds:.2f} s")
    if arguments.serve:
        _serve(arguments.out)
    return 2 if any(problem.serious for problem in report.problems) else 0


def _serve(out: Path) -> None:
    class Handler(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | {
            ".md": "text/markdown; charset=utf-8",
            ".epub": "application/epub+zip",
            ".avif": "image/avif",
        }

    with ThreadingHTTPServer(("127.0.0.1", 8001), partial(Handler, directory=str(out))) as server:
        print("http://127.0.0.1:8001")
        server.serve_forever()


if __name__ == "__main__":
    raise SystemExit(main())
