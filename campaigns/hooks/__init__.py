"""Webhooks out: what happened here is told to other systems, signed, at least once, and never to an address inside."""
