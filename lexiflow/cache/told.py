"""What the database says was written, and which generations that ends."""

from collections.abc import Iterable
from dataclasses import dataclass

ANYTHING = "*"

# Whose generations: of a firm, of one row an answer may be tied to, of those who see all firms,
# and one that ends with everything.
EVERY_FIRM = "firms"
EVERYTHING = "everything"


def of_firm(firm: str) -> str:
    return f"firm:{firm}"


def of_pin(pin: str) -> str:
    return f"pin:{pin}"


def of_many(table: str) -> str:
    """The generation of a table that ends with writes too wide to name their rows."""
    return f"{table}*"


def of_set(table: str) -> str:
    """The generation of a table that ends when rows come or go, or what decides who sees which.
    Their order is that in which they were made: nothing changes that (`lexiflow.db.models`).
    """
    return f"{table}#"


def of_access(table: str) -> str:
    """The generation of a table that ends when who sees what may have changed."""
    return f"{table}+"


@dataclass(frozen=True, slots=True)
class Touched:
    """One table, firm and row of what was told. firm, pin: "" for none, ANYTHING for all. is_new:
    the row was not there before.
    """

    table: str
    access: bool
    firm: str
    pin: str
    is_new: bool = False

    @property
    def person(self) -> str:
        """Whose firms are meant; "" if it names the firm itself."""
        return self.firm[1:] if self.firm.startswith("~") else ""


ALL = Touched("", access=True, firm=ANYTHING, pin=ANYTHING)


def read(line: str) -> set[Touched]:
    """What the triggers said (`lexiflow.cache.triggers`). What cannot be read means everything."""
    table, _, rest = line.partition(" ")
    sign, _, rows = rest.partition(" ")
    if sign not in ("+", "-", "*") or not rows or rows == ANYTHING:
        return {ALL}
    found = set()
    for row in rows.split(" "):
        firm, slash, pin = row.partition("/")
        if not slash:
            return {ALL}
        found.add(Touched(table, sign == "+", firm, pin, is_new=sign == "*"))
    return found


def ended_by(touched: Iterable[Touched]) -> dict[str, set[str]]:
    """The generations that end, by whose they are. People must be replaced by their firms."""
    ended: dict[str, set[str]] = {}
    for each in touched:
        if each == ALL:
            return {EVERYTHING: {EVERYTHING}}
        fields = {each.table}
        if each.access:
            fields.add(of_access(each.table))
        if each.access or each.is_new:
            fields.add(of_set(each.table))
        if each.pin == ANYTHING:
            fields.add(of_many(each.table))
        elif each.pin:
            ended.setdefault(of_pin(each.pin), set()).add(each.table)
        ended.setdefault(EVERY_FIRM, set()).update(fields)
        if each.firm:
            ended.setdefault(of_firm(each.firm), set()).update(fields)
    return ended
