"""The admin's machinery, for any domain: who sees and does what, signed writes, soft deletion,
optimistic locking, bounded counts, history, refusals in words.

It knows Django's admin, unfold and `lexiflow.db`, and no application. An application gives a
`RecordSite` its rules (`site.py`) and describes its tables with `RecordAdmin` and the inlines
(`model_admin.py`, `inlines.py`).
"""
