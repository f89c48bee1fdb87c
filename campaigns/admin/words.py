"""Counts and spans of time in words."""

from datetime import timedelta

from campaigns.text.cost import indian


def count(number: int, noun: str) -> str:
    """``1 unit``, ``1,00,000 units``."""
    return f"{indian(number)} {noun}" + ("" if number == 1 else "s")


def span(length: timedelta | None) -> str:
    """About how long: 40 s, 3 min, 2 h 5 min, 3 days."""
    seconds = int(length.total_seconds()) if length else 0
    if seconds < 90:
        return f"{max(seconds, 0)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(minutes / 1440)} days"
