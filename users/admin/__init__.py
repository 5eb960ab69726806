"""People and firms in the admin, and the site that all applications register with.

A membership is written on the page of its person.

Not here, on purpose: groups and permissions of Django (the table of `users.roles` says who may do
what), sessions, and Django's log of admin actions (the audit trail has it all).
"""

from users.admin import keys, limits, organizations, people, rollout, trail

__all__ = ["keys", "limits", "organizations", "people", "rollout", "trail"]
