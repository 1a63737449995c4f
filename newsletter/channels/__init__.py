"""Where people come from, and the links that say so without cookies."""
