"""Commands on the archive."""

from pathlib import Path

import click

from newsletter.archive import actions, building, publishing, queries
from newsletter.archive.building import build_publication
from newsletter.cli import as_json, fail, new_process, sentences, show
from newsletter.process import Process
from newsletter.publications import queries as catalogue
from newsletter.publications.models import Publication


@click.group()
def archive() -> None:
    """The public archive."""


@archive.command("build")
@click.option("--publication", "slug", help="Only this one.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Another folder than ARCHIVE_DIR.")
@click.option("--full", is_flag=True, help="Write every file anew.")
@as_json
@sentences
def archive_build(slug: str | None, out: Path | None, full: bool, as_json: bool) -> None:
    """Bring the static archive up to date."""
    process = new_process("archive")
    chosen = _chosen(process, slug)
    if out and len(chosen) > 1:
        fail("Say which publication goes into this folder: --publication SLUG.")
    written: list[str] = []
    unchanged, seconds, removed, problems = 0, 0.0, [], []
    for one in chosen:
        report = build_publication(process, one.id, out=out.absolute() if out else None, full=full)
        written += [f"{one.slug}/{path}" for path in report.written]
        removed += [f"{one.slug}/{path}" for path in report.removed]
        problems += [f"{one.slug}/{problem}" for problem in report.problems]
        unchanged, seconds = unchanged + report.unchanged, seconds + report.seconds
    value = {"written": written, "unchanged": unchanged, "removed": removed, "seconds": round(seconds, 3), "problems": problems}
    for problem in problems:
        click.echo(problem, err=True)
    show(value, as_json, f"{len(written)} files written, {unchanged} unchanged, {len(removed)} removed, {seconds:.2f} s")


@archive.command("publish")
@click.option("--publication", "slug", help="Only this one.")
@as_json
@sentences
def archive_publish(slug: str | None, as_json: bool) -> None:
    """Build, then bring every target up to date."""
    process = new_process("archive")
    rows: list[dict[str, object]] = []
    for one in _chosen(process, slug):
        build_publication(process, one.id)
        with process.writing() as session:
            targets = [target.id for target in queries.targets(session, one.id) if target.state == "active"]
            for target_id in targets:
                actions.wish(session, queries.target(session, one.id, target_id), what="send", now=process.clock())
        for target_id in targets:
            publishing.run(process, target_id)
        with process.reading() as session:
            found = [target for target in queries.targets(session, one.id) if target.id in targets]
            rows += [{"publication": one.slug, "kind": row.kind, "place": row.place, "files": row.files, "problem": row.problem} for row in found]
    words = [f"{row['publication']}: {row['kind']} {row['place']}: {row['problem'] or str(row['files']) + ' files'}" for row in rows]
    show(rows, as_json, "\n".join(words) or "There is no target. The archive was built.")
    if any(row["problem"] for row in rows):
        raise SystemExit(1)


@archive.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--publication", "slug", required=True)
@as_json
@sentences
def archive_export(folder: Path, slug: str, as_json: bool) -> None:
    """Write everything that is public into a folder that python -m archive_site builds without us."""
    process = new_process("archive")
    with process.reading() as session:
        number = building.export(session, process, catalogue.by_slug(session, slug), folder)
    show({"letters": number, "folder": str(folder)}, as_json, f"{number} letters lie in {folder}. python -m archive_site {folder} OUT makes the archive.")


@archive.command("back")
@click.option("--publication", "slug", required=True)
@as_json
@sentences
def archive_back(slug: str, as_json: bool) -> None:
    """Take the last publish back."""
    process = new_process("archive")
    with process.reading() as session:
        catalogue.by_slug(session, slug)
    done = building.take_back(process, slug)
    show({"taken_back": done}, as_json, "The archive is as it was before." if done else "There is nothing to take back.")


def _chosen(process: Process, slug: str | None) -> list[Publication]:
    with process.reading() as session:
        chosen = [catalogue.by_slug(session, slug)] if slug else catalogue.everything(session)
    if not chosen:
        fail("There is no publication yet.")
    return chosen
