"""Parts of a list, described by rules that are data and not SQL (P5)."""
