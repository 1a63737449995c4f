"""A static archive of letters: a Site in, a folder of plain files out.

Knows nothing of the newsletter service, needs no script to be read and asks nobody else for anything.
"""
