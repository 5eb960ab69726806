"""How the admin looks, and what its menu lists. A part of the settings: nothing else reads it."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _list(title: str, icon: str, model: str, permission: str | None = None) -> dict[str, Any]:
    entry = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}
    return {**entry, "permission": permission or "users.admin.site.may_read"}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "LexiFlow",
    "SITE_HEADER": "LexiFlow",
    "SITE_SYMBOL": "balance",
    "SITE_URL": None,  # there is no public site to view
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("lexiflow/icon.svg")}
    ],
    "STYLES": [lambda request: static("lexiflow/admin.css")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": [
            {
                "title": "Matters",
                "items": [
                    _list("Cases", "gavel", "cases_case"),
                    _list("Clients", "handshake", "cases_client"),
                    _list("Parties", "groups", "cases_party"),
                    _list("Docket entries", "format_list_numbered", "cases_docketentry"),
                    _list("Evidence", "inventory_2", "cases_evidenceitem"),
                    _list(
                        "Ethical walls",
                        "shield_lock",
                        "cases_ethicalwall",
                        "users.admin.site.may_manage_access",
                    ),
                ],
            },
            {
                "title": "Documents",
                "items": [
                    _list("Documents", "description", "documents_document"),
                    _list("Saved searches", "saved_search", "documents_savedsearch"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _list("Users", "person", "users_user"),
                    _list("Organizations", "apartment", "users_organization"),
                ],
            },
            {
                "title": "System",
                "items": [
                    _list(
                        "Audit trail",
                        "policy",
                        "users_auditevent",
                        "users.admin.site.may_see_audit",
                    ),
                    _list("Sign-ins", "login", "users_signin", "users.admin.site.may_see_sign_ins"),
                    *(
                        _list(title, icon, model, "users.admin.site.is_operator")
                        for title, icon, model in (
                            ("Limits", "speed", "users_scopelimit"),
                            ("Limits of callers", "person_check", "users_limitoverride"),
                            ("Blocked callers", "block", "users_callerblock"),
                            ("Cache roll-out", "percent", "users_cacherollout"),
                        )
                    ),
                    _list("API keys", "key", "users_apikey", "users.admin.site.may_see_sign_ins"),
                    _list(
                        "Number series",
                        "pin",
                        "cases_numberseries",
                        "users.admin.site.is_operator",
                    ),
                ],
            },
        ],
    },
}
