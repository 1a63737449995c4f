"""Editors, their roles and sessions, and the first start of an installation."""
