"""Writing: issues, their revisions, preview, schedule."""
