"""Fixtures that several floors of tests share."""

import pytest

from campaigns.exotel import codes


@pytest.fixture(autouse=True)
def codes_as_shipped():
    """Notes on codes are read every few seconds: a query that would come in the middle of any test."""
    codes.set_overlay(None)
