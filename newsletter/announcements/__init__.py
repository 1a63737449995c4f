"""Telling elsewhere that an issue is out: on Mastodon and Bluesky by their interfaces, on closed platforms by hand."""
