"""Counters that the database keeps: how many rows of a table there are, by what they say."""
