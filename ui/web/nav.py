"""The pages, in plain sight: address, who may, icon, group. One table to show and to refuse."""

from dataclasses import dataclass
from typing import Literal

from ui.access import Permission, may
from ui.identity import Person
from ui.messages import LANGUAGES, Language


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `path` follows the language (`/en` + path); the title is `web.nav.<id>`.

    `kind` says who draws it: Gradio, or the server alone (`ui.web.plain`).
    """

    id: str
    path: str
    permission: Permission
    icon: str
    group: str
    tab: bool = True  # shown in the bar at the bottom of a phone
    kind: Literal["gradio", "plain"] = "gradio"


PAGES: tuple[Page, ...] = (
    Page("home", "", "agents.use", "house", "create", kind="plain"),
    Page("build", "/build", "agents.build", "wand-sparkles", "create"),
    Page("playground", "/playground", "agents.use", "message-square-text", "create", kind="plain"),
    Page("conversations", "/conversations", "conversations.own", "history", "create", kind="plain"),
    Page(
        "evaluation",
        "/evaluation",
        "agents.build",
        "list-checks",
        "create",
        tab=False,
        kind="plain",
    ),
    Page("compare", "/compare", "agents.use", "git-compare", "create", tab=False, kind="plain"),
    Page("publish", "/publish", "agents.build", "badge-check", "share", tab=False, kind="plain"),
    Page("published", "/published", "agents.build", "users", "share", tab=False, kind="plain"),
    Page("reports", "/reports", "feedback.review", "flag", "share", tab=False, kind="plain"),
    Page("audit", "/audit", "traces.view", "scan-search", "govern", kind="plain"),
    Page("alerts", "/alerts", "alerts.view", "triangle-alert", "govern", tab=False, kind="plain"),
    Page("exports", "/exports", "audit.export", "download", "govern", tab=False, kind="plain"),
    Page(
        "retention",
        "/retention",
        "retention.manage",
        "calendar-check",
        "govern",
        tab=False,
        kind="plain",
    ),
    Page(
        "kinds",
        "/kinds",
        "policies.edit",
        "scan-text",
        "govern",
        tab=False,
        kind="plain",
    ),
    Page("privacy", "/privacy", "privacy.own", "eye-off", "me", tab=False, kind="plain"),
    Page("policies", "/policies", "policies.view", "scale", "govern", tab=False, kind="plain"),
    Page("account", "/account", "account.own", "user", "me", tab=False, kind="plain"),
    Page("people", "/people", "people.manage", "users", "manage", tab=False, kind="plain"),
    Page("access", "/access", "access.manage", "key-round", "manage", tab=False, kind="plain"),
    Page("backup", "/backup", "backup.manage", "database", "manage", tab=False, kind="plain"),
    Page("branding", "/branding", "branding.manage", "image", "manage", tab=False, kind="plain"),
    Page("tools", "/tools", "models.manage", "wrench", "manage", tab=False, kind="plain"),
    Page("sandbox", "/sandbox", "status.view", "shield", "manage", tab=False, kind="plain"),
    Page("models", "/models", "budgets.view", "brain", "manage", tab=False, kind="plain"),
    Page("learn", "/learn", "agents.use", "graduation-cap", "understand", tab=False, kind="plain"),
    Page("impact", "/impact", "impact.view", "chart-column", "understand", tab=False, kind="plain"),
)
GROUPS: tuple[str, ...] = ("create", "share", "understand", "govern", "manage", "me")
BY_ID = {page.id: page for page in PAGES}


def find(path: str) -> tuple[Language, Page] | None:
    """The language and page of an address, or None when it is no page of ours."""
    first, _, rest = path.strip("/").partition("/")
    for language in LANGUAGES:
        if first == language:
            wanted = f"/{rest}".rstrip("/")
            for page in PAGES:
                if page.path == wanted:
                    return language, page
    return None


def visible(person: Person) -> list[Page]:
    """The pages this person may open."""
    return [page for page in PAGES if may(person, page.permission)]


def address(language: Language, page: str, query: str = "") -> str:
    """`/fr/audit?trace=…`; the home page ends with a slash, as its mount wants it."""
    path = BY_ID[page].path or "/"
    return f"/{language}{path}" + (f"?{query}" if query else "")
