"""How the list grows and shrinks, counted as it happens, without anybody's name."""
