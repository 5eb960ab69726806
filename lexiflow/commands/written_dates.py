"""Days as people write them in American spreadsheets.

Read: `2019-02-28`, `Feb 28, 2019`, `February 28 2019`, `28 February 2019`, `2/28/2019`, `2/28/19`
(month first; two digits below 69 are this century). Anything else is not guessed at.
"""

import re
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?",
        r"(?P<name>[A-Za-z]+)\.? +(?P<day>\d{1,2}),? +(?P<year>\d{4})",
        r"(?P<day>\d{1,2}) +(?P<name>[A-Za-z]+)\.?,? +(?P<year>\d{4})",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})",
    )
)
_EARLIEST_YEAR, _LATEST_YEAR = 1600, 2200
_THIS_CENTURY_BELOW = 69


def read_day(text: str) -> date:
    """The day that is written. Raises ValueError with a sentence for the report."""
    for form in _FORMS:
        if match := form.fullmatch(text.strip()):
            parts = match.groupdict()
            try:
                found = date(_year(parts["year"]), _month(parts), int(parts["day"]))
            except (KeyError, ValueError):
                break
            if _EARLIEST_YEAR <= found.year <= _LATEST_YEAR:
                return found
    raise ValueError("Not a day such as 2019-02-28, Feb 28, 2019 or 2/28/2019.")


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < _THIS_CENTURY_BELOW else 1900)


def _month(parts: dict[str, str | None]) -> int:
    if digits := parts.get("month"):
        return int(digits)
    return _MONTHS[(parts["name"] or "").lower()]
