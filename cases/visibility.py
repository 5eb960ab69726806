"""The sentences of the visibility rule, in SQL: about the case that a row is, or belongs to.

Walls, memberships and closed or deleted cases are few; each has a partial index of its own, and
each sentence is asked of that set. So an ordinary person's list is the same walk along the same
index as an administrator's. `tests/benchmarks/bench_visibility.py` measures it.

`{0}` is the column that names the case. Null names none, and is hidden by no case.
"""

from typing import Any

from lexiflow.db.conditions import Condition
from users.roles import Capability, is_capable

# Barred by name, whatever the role. Not correlated: PostgreSQL asks once for a whole query.
_WALLED_OFF = """{0} IN (SELECT w.case_id FROM cases_ethicalwall w
    WHERE w.user_id = %s AND w.deleted_at IS NULL)"""

# As an array PostgreSQL looks each one up; joined with a thousand it reads the whole table.
_BEHIND_WALLS = """{0} = ANY (ARRAY(SELECT w.case_id FROM cases_ethicalwall w
    WHERE w.user_id = %s AND w.deleted_at IS NULL))"""

# On the team today.
_ON_TEAM = """EXISTS (SELECT FROM cases_caseteammember m
    WHERE m.case_id = {0} AND m.user_id = %s AND m.deleted_at IS NULL
        AND (m.since IS NULL OR m.since <= (now() AT TIME ZONE 'UTC')::date)
        AND (m.until IS NULL OR m.until >= (now() AT TIME ZONE 'UTC')::date))"""

_LEADS = "EXISTS (SELECT FROM cases_case l WHERE l.id = {0} AND l.lead_attorney_id = %s)"

# Closed cases that may be one's own, as a set. To be asked together with the rule itself.
_OWN_CLOSED = """{0} IN (
    SELECT m.case_id FROM cases_caseteammember m JOIN cases_case t ON t.id = m.case_id
    WHERE m.user_id = %s AND m.deleted_at IS NULL AND t.access <> 'firm'
    UNION ALL SELECT l.id FROM cases_case l WHERE l.lead_attorney_id = %s AND l.access <> 'firm')"""

_DELETED = "EXISTS (SELECT FROM {table} gone WHERE gone.id = {{0}} AND gone.deleted_at IS NOT NULL)"

# Closed to all but those who work on it; the exception is a role's.
_CLOSED = f"""EXISTS (SELECT FROM cases_case c WHERE c.id = {{0}} AND c.access <> 'firm'
    AND NOT ({{exception}} OR coalesce(c.lead_attorney_id = %s, false)
        OR {_ON_TEAM.format("c.id")}))"""
_SEES_RESTRICTED, _SEES_NO_MORE = "c.access = 'team'", "false"


def not_walled_off(user: Any, column: str = "case_id") -> Condition:
    """No ethical wall stands between `user` and the case."""
    return Condition(f"({_WALLED_OFF}) IS NOT TRUE", column, parameters=(user.pk,))


def not_closed(user: Any, column: str = "case_id") -> Condition:
    """The case is open to the firm, or `user` works on it, or their role sees restricted ones."""
    sees = is_capable(user, Capability.SEE_RESTRICTED)
    closed = _CLOSED.format("{0}", exception=_SEES_RESTRICTED if sees else _SEES_NO_MORE)
    return Condition(f"NOT {closed}", column, parameters=(user.pk, user.pk))


def works_on(user: Any, column: str = "case_id") -> Condition:
    """`user` leads the case or is on its team."""
    return Condition(f"{_ON_TEAM} OR {_LEADS}", column, parameters=(user.pk, user.pk))


def walled_off(user: Any, column: str = "case_id") -> Condition:
    """An ethical wall stands between `user` and the case. For looking such rows up by index."""
    return Condition(_BEHIND_WALLS, column, parameters=(user.pk,))


def own_closed(user: Any, column: str = "case_id") -> Condition:
    """The case is not open to the firm, and `user` leads it, or is or was on its team. For looking
    such cases up by index: whether they are visible is another question.
    """
    return Condition(_OWN_CLOSED, column, parameters=(user.pk, user.pk))


def not_deleted(table: str, column: str) -> Condition:
    """The row of `table` that `column` names is not deleted. table: a name of ours."""
    return Condition(f"NOT {_DELETED.format(table=table)}", column)


def not_secret(user: Any) -> list[Condition]:
    """A docket entry is neither sealed nor restricted, or `user` sees such entries."""
    if is_capable(user, Capability.SEE_RESTRICTED):
        return []
    works = works_on(user).sql.format("{2}")
    sql = f"NOT ({{0}} OR {{1}}) OR {works}"
    return [
        Condition(
            sql, "is_sealed", "is_restricted", "case_id", parameters=works_on(user).parameters
        )
    ]
