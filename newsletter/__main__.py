"""``python -m newsletter`` is ``brieftaube``."""

from newsletter.cli import main

main(prog_name="brieftaube")
