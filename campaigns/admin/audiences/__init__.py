"""Saved audiences in the console: lists of people with columns, the files that grow them, and their segments."""
