"""The server with planned faults ships with the program; tests know it by this name."""

from newsletter.catcher.faults import FaultyServer

__all__ = ["FaultyServer"]
