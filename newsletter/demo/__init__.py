"""A complete publication to look around in: twelve letters, two hundred readers, a year of mailings.

All names and addresses are made up; addresses end in example.org and reach nobody.
"""

from newsletter.demo.load import load

__all__ = ["load"]
