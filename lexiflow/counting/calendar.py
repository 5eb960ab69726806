"""Months and days as counters name them, in UTC."""

from datetime import UTC, date, datetime


def today() -> date:
    return datetime.now(UTC).date()


def last_months(day: date, count: int) -> list[str]:
    """The month of `day` and those before it, the oldest first: "2025-12", "2026-01"."""
    months = range(day.year * 12 + day.month - count, day.year * 12 + day.month)
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in months]
