"""Markdown -> Document -> mail, web and text. Pure: values in, values out, no clock, no database."""
