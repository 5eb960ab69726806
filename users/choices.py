"""Closed lists of people and firms. The left-hand value is stored, and the database knows them."""

from django.db.models import TextChoices


class OrganizationType(TextChoices):
    LAW_FIRM = "law_firm", "Law firm"
    LEGAL_DEPARTMENT = "legal_department", "Legal department"
    GOVERNMENT = "government", "Government"
    NONPROFIT = "nonprofit", "Nonprofit"
    OTHER = "other", "Other"


class OrganizationStatus(TextChoices):
    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"
    SUSPENDED = "suspended", "Suspended"


class Role(TextChoices):
    SUPER_ADMIN = "super_admin", "Super admin"
    ADMIN = "admin", "Admin"
    PARTNER = "partner", "Partner"
    SENIOR_ASSOCIATE = "senior_associate", "Senior associate"
    ASSOCIATE = "associate", "Associate"
    JUNIOR_ASSOCIATE = "junior_associate", "Junior associate"
    ATTORNEY = "attorney", "Attorney"
    PARALEGAL = "paralegal", "Paralegal"
    LEGAL_ASSISTANT = "legal_assistant", "Legal assistant"
    CLERK = "clerk", "Clerk"
    INTERN = "intern", "Intern"
    ACCOUNTANT = "accountant", "Accountant"
    BILLING_SPECIALIST = "billing_specialist", "Billing specialist"
    IT_ADMIN = "it_admin", "IT admin"
    STAFF = "staff", "Staff"
    CLIENT = "client", "Client"


class UserStatus(TextChoices):
    ACTIVE = "active", "Active"
    INVITED = "invited", "Invited"
    SUSPENDED = "suspended", "Suspended"
    INACTIVE = "inactive", "Inactive"


class AuditAction(TextChoices):
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    DELETED = "deleted", "Deleted"
    RESTORED = "restored", "Restored"
    PURGED = "purged", "Purged"
    VIEWED = "viewed", "Viewed"
    DOWNLOADED = "downloaded", "Downloaded"
    SEARCHED = "searched", "Searched"
    EXPORTED = "exported", "Exported"
    SIGNED_IN = "signed_in", "Signed in"
    SIGN_IN_REFUSED = "sign_in_refused", "Sign-in refused"
    SIGNED_OUT = "signed_out", "Signed out"
    PASSWORD_CHANGED = "password_changed", "Password changed"


# What the database's triggers write; everything else is recorded by the application.
CHANGES = (
    AuditAction.CREATED,
    AuditAction.UPDATED,
    AuditAction.DELETED,
    AuditAction.RESTORED,
    AuditAction.PURGED,
)
