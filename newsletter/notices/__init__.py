"""Transactional mail: one to one, asked for by the person who gets it."""
