"""Searches that people keep, and the digests that tell them of new documents.

models      what is kept
criteria    from what somebody typed to what SQL compares
matching    new documents against all saved searches, once each
digests     what is told to whom, and when
letters     how it is told
"""
