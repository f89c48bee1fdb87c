"""Webhooks: who is told what happens here, what was told, and telling it again."""
