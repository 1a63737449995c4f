"""``python -m archive_site SOURCE OUT [--serve]``"""

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from archive_site.build import build
from archive_site.source import SourceBroken, load


def main() -> int:
    """Build an archive from an exported folder; give back the exit status."""
    parser = argparse.ArgumentParser(prog="archive_site", description="Build a static archive from an exported folder.")
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--full", action="store_true", help="write every file anew")
    parser.add_argument("--serve", action="store_true", help="show the result at http://127.0.0.1:8001")
    arguments = parser.parse_args()
    try:
        report = build(load(arguments.source), arguments.out.absolute(), full=arguments.full)
    except (SourceBroken, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(report.written)} files written, {report.unchanged} unchanged, {len(report.removed)} removed, {report.seconds:.2f} s")
    if arguments.serve:
        handler = partial(SimpleHTTPRequestHandler, directory=str(arguments.out))
        with ThreadingHTTPServer(("127.0.0.1", 8001), handler) as server:
            print("http://127.0.0.1:8001")
            server.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
