"""One person's whole story, what she may decide about it herself, and how it is forgotten."""
