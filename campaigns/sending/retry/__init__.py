"""Sending failures again: never by a machine, only when an operator asks, and only those that another try can help."""

from campaigns.sending.retry.make import Impossible, Made, make
from campaigns.sending.retry.outlook import ALLOWED, CHEAP, Outlook, outlook
from campaigns.sending.retry.rules import Decision, Limits, decide

__all__ = ["ALLOWED", "CHEAP", "Decision", "Impossible", "Limits", "Made", "Outlook", "decide", "make", "outlook"]
