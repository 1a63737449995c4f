"""Mailings, the ledger of deliveries, the sender and the sweep."""
