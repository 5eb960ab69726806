"""Constraints that say in the database what the choices say in Python."""

from django.db.models import CheckConstraint, Q, TextChoices


def choices_only(field: str, choices: type[TextChoices], *, name: str) -> CheckConstraint:
    """`field` holds one of `choices`; anything else is refused whatever wrote it."""
    return CheckConstraint(
        condition=Q(**{f"{field}__in": choices.values}),
        name=name,
        violation_error_message=f"{field} must be one of: {', '.join(choices.values)}.",
    )
