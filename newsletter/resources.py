"""Finds the folders that lie beside the package in a checkout and inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def directory(name: str) -> Path:
    """The folder ``templates`` or ``migrations``.

    A checkout has it beside the package; a wheel carries it as ``newsletter/_<name>``. The checkout
    comes first because an editable install leaves a stale copy of the second kind behind.

    Raises:
        FileNotFoundError: neither exists, so the installation is broken.
    """
    for candidate in (_PACKAGE.parent / name, _PACKAGE / f"_{name}"):
        if candidate.is_dir() and (_PACKAGE.parent / "pyproject.toml").exists() == (candidate.parent != _PACKAGE):
            return candidate
    raise FileNotFoundError(f"The folder {name} is missing from this installation.")
