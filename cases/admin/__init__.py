"""Matters in the admin: clients, cases, and what belongs to a case.

Not here, on purpose: the search table of cases, which triggers keep.
"""

from cases.admin import case_rows, clients, evidence, matters, number_series, staffing

__all__ = ["case_rows", "clients", "evidence", "matters", "number_series", "staffing"]
