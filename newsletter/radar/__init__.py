"""How much hangs on platforms that are not one's own: measured, explained in plain words, and what to do about it."""
