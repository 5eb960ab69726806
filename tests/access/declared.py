"""What has to be said of each table and route, in one place. Everything else is found.

Something new that is not declared here fails `test_everything_has_a_rule`, which says what to add.
"""

from enum import Enum

from django.db.models import Model

from cases.models import (
    Case,
    CaseTeamMember,
    Client,
    ClientPerson,
    CustodyEvent,
    DocketEntry,
    EthicalWall,
    EvidenceItem,
    NumberSeries,
    Party,
)
from documents.models import Document, DocumentVersion, SavedSearch
from users.models import (
    ApiKey,
    AuditEvent,
    CacheRollout,
    CallerBlock,
    HistoryEvent,
    LimitOverride,
    Membership,
    Organization,
    ScopeLimit,
    SignIn,
    User,
)


class Rule(Enum):
    """Who sees the rows of a table."""

    CASE = "the case itself: its firm or its team, its client when shared, nobody behind a wall"
    FOLLOWS_CASE = "whoever of the firm sees the case; no client"
    DOCKET = "as the case; sealed and restricted entries for those who work on it; clients the rest"
    WALL = "those who manage access and see the case"
    DOCUMENT = "as the case, by access level; for clients when it is shared itself"
    FOLLOWS_DOCUMENT = "as the document; for clients the current version only"
    FIRM_RECORD = "the people of the firm; no client"
    FIRM = "those who belong to it"
    PEOPLE = "themselves and the people of their firm; clients themselves only"
    AUDIT = "those who may see the trail, of rows they see"
    HISTORY = "those who see all that the change tells of; no client"
    API_KEYS = "their owner, and those who administer the owner"
    SIGN_INS = "those who administer users, of people they see"
    OWN = "their owner, and nobody else"
    OPERATORS = "operators"


# Every table with a visibility rule, a route or a page in the admin.
RULES: dict[type[Model], Rule] = {
    Organization: Rule.FIRM,
    User: Rule.PEOPLE,
    Membership: Rule.FIRM_RECORD,
    AuditEvent: Rule.AUDIT,
    HistoryEvent: Rule.HISTORY,
    SignIn: Rule.SIGN_INS,
    ApiKey: Rule.API_KEYS,
    Client: Rule.FIRM_RECORD,
    ClientPerson: Rule.FIRM_RECORD,
    Case: Rule.CASE,
    CaseTeamMember: Rule.FOLLOWS_CASE,
    EthicalWall: Rule.WALL,
    Party: Rule.FOLLOWS_CASE,
    DocketEntry: Rule.DOCKET,
    EvidenceItem: Rule.FOLLOWS_CASE,
    CustodyEvent: Rule.FOLLOWS_CASE,
    Document: Rule.DOCUMENT,
    DocumentVersion: Rule.FOLLOWS_DOCUMENT,
    SavedSearch: Rule.OWN,
    NumberSeries: Rule.OPERATORS,
    ScopeLimit: Rule.OPERATORS,
    LimitOverride: Rule.OPERATORS,
    CallerBlock: Rule.OPERATORS,
    CacheRollout: Rule.OPERATORS,
}

# Routes of the API that are no resources (their table would say it).
# public: answers anybody, with nothing of any firm.
# own: the caller's own account only.
# operators: answers those who run the installation, with nothing of any firm.
# search: finds rows by `q`; each by the rule of its table.
# bulk: changes many rows, each by the rule of its table (tests/cases/test_bulk.py and others).
OTHER_ROUTES = {
    "login": "public",
    "refresh": "public",
    "openapi": "public",
    "docs": "public",
    "problems": "public",
    "health-cache": "public",
    "health-live": "public",
    "health-pool": "public",
    "health-ready": "public",
    "logout": "own",
    "change-password": "own",
    "me": "own",
    "limits": "own",
    "second-factor": "own",
    "confirm-second-factor": "own",
    "recovery-codes": "own",
    "schema-tables": "operators",
    "schema-table": "operators",
    "search": "search",
    "search-suggestions": "search",
    "case-bulk": "bulk",
    "client-bulk": "bulk",
    "document-bulk": "bulk",
    "party-bulk": "bulk",
    "user-bulk": "bulk",
    "bulk-changes": "own",
    "bulk-change": "own",
    "bulk-results": "own",
    "bulk-cancel": "own",
    "bulk-undo": "own",
}

# What a reading action needs in its query to succeed.
QUERIES = {"compare": "with={number}"}

# Pages of the admin that belong to no table.
ADMIN_PAGES = {
    "search",
    "index",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "app_list",
}
# Pages of a table whose name does not begin with it.
ADMIN_PAGES_OF: dict[str, type[Model]] = {"auth_user_password_change": User}
