"""Answers that are remembered, and never older than the last acknowledged write.

`docs/cache.md` tells how the parts work together.
"""
