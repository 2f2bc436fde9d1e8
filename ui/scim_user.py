"""A user as SCIM describes one (RFC 7643, 4.1), as a flat record that every operation changes.

Directories differ in how they say the same thing, so everything is read leniently into one shape:
keys in lower case (`name.givenname`), e-mail addresses as a list. What nobody here needs (photos,
addresses, phone numbers, …) is not kept at all.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from guardrails.errors import BadInput
from ui.accounts import Account
from ui.messages import Language
from ui.scim_filter import plain_path

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TEXTS = {
    "username": "userName",
    "externalid": "externalId",
    "displayname": "displayName",
    "name.formatted": "formatted",
    "name.givenname": "givenName",
    "name.familyname": "familyName",
    "title": "title",
    "preferredlanguage": "preferredLanguage",
    "locale": "locale",
    "department": "department",
}
KEPT = ("name.formatted", "name.givenname", "name.familyname", "title", "displayname")
MOST_EMAILS = 5
_VALUED = re.compile(r"(\w+)\[\s*(\w+)\s+eq\s+\"?([^\"\]]*)\"?\s*\](?:\.(\w+))?", re.I)


@dataclass
class ScimUser:
    """One user: `texts` by the keys of TEXTS, e-mail addresses, whether they may sign in."""

    texts: dict[str, str] = field(default_factory=dict)
    emails: list[dict[str, Any]] = field(default_factory=list)
    active: bool = True

    def put(self, path: str, value: object) -> None:
        """Set one attribute; a value of several parts sets each of them. Unknown ones pass by."""
        key = plain_path(path)
        valued = _VALUED.fullmatch(key)
        if valued is not None:
            if valued[1] == "emails":
                part = valued[4] or "value"
                if part in ("value", "primary"):
                    _put_email(self.emails, valued[2], valued[3].lower(), part, value)
            return
        if key == "active":
            self.active = truth(value)
        elif key in ("emails", "emails.value"):
            self.emails = _emails(value)
        elif isinstance(value, Mapping):
            prefix = "" if key == "user" else f"{key}."
            for name, part in value.items():
                self.put(f"{prefix}{plain_path(str(name))}", part)
        elif key in TEXTS:
            self.texts[key] = _text(value)

    def drop(self, path: str) -> None:
        """Take one attribute away."""
        key = plain_path(path)
        valued = _VALUED.fullmatch(key)
        if key == "emails" or (valued is not None and valued[1] == "emails"):
            gone = self.emails if valued is None else _meant(self.emails, valued[2], valued[3])
            self.emails = [each for each in self.emails if each not in gone]
        for name in [name for name in self.texts if name == key or name.startswith(f"{key}.")]:
            del self.texts[name]

    def take(self, body: Mapping[str, object]) -> None:
        """Set everything that a whole resource or a patch without a path says."""
        for name, value in body.items():
            if str(name).lower() not in ("schemas", "id", "meta", "groups", "password", "roles"):
                self.put(ENTERPRISE if name == ENTERPRISE else str(name), value)

    def values(self) -> dict[str, object]:
        """The columns of `people`. Raises BadInput("scim-value") without a user name."""
        login = self.texts.get("username", "").strip()
        if not login:
            raise BadInput("scim-value", attribute="userName")
        first = next((each for each in self.emails if each["primary"]), None)
        email = (first or (self.emails[0] if self.emails else {"value": ""}))["value"]
        kept = {name: self.texts[name] for name in KEPT if self.texts.get(name)}
        return {
            "login": login,
            "name": self.name(),
            "email": email,
            "department": self.texts.get("department", ""),
            "external": self.texts.get("externalid", ""),
            "language": self.language(),
            "disabled": not self.active,
            "details": json.dumps({"texts": kept, "emails": self.emails}),
        }

    def name(self) -> str:
        """The name to show: as displayed, as written, from its parts, or the user name."""
        texts = self.texts
        parts = f"{texts.get('name.givenname', '')} {texts.get('name.familyname', '')}".strip()
        return (
            texts.get("displayname")
            or texts.get("name.formatted")
            or parts
            or texts.get("username", "")
        )

    def language(self) -> Language:
        """The nearest of our languages."""
        wanted = self.texts.get("preferredlanguage") or self.texts.get("locale") or ""
        return "fr" if wanted.lower().startswith("fr") else "en"


def read_account(account: Account) -> ScimUser:
    """The user behind an account, as it was sent."""
    kept = json.loads(account.details)
    user = ScimUser(dict(kept.get("texts", {})), list(kept.get("emails", [])), not account.disabled)
    user.texts |= {
        "username": account.login,
        "externalid": account.external,
        "department": account.department,
        "preferredlanguage": account.language,
    }
    return user


def shown(account: Account, location: str, groups: list[dict[str, str]]) -> dict[str, Any]:
    """The resource as SCIM answers it."""
    user = read_account(account)
    name = {
        camel: user.texts[key]
        for key, camel in TEXTS.items()
        if key.startswith("name.") and user.texts.get(key)
    }
    body: dict[str, Any] = {
        "schemas": [USER, ENTERPRISE],
        "id": account.id,
        "userName": account.login,
        "displayName": account.name,
        "active": not account.disabled,
        "emails": [
            {name: value for name, value in each.items() if value != ""} for each in user.emails
        ],
        "preferredLanguage": account.language,
        "groups": groups,
        ENTERPRISE: {"department": account.department},
        "meta": {
            "resourceType": "User",
            "created": account.created,
            "lastModified": account.changed or account.created,
            "location": f"{location}/Users/{account.id}",
        },
    }
    if name:
        body["name"] = name
    if account.external:
        body["externalId"] = account.external
    if user.texts.get("title"):
        body["title"] = user.texts["title"]
    return body


def truth(value: object) -> bool:
    """A boolean, also as the text that Entra ID sends. Raises BadInput("scim-value")."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise BadInput("scim-value", attribute="active")


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise BadInput("scim-value", attribute="-")
    text = str(value)
    # names stand on pages, in tables and in terminals: no control characters
    return "".join(each for each in text if each.isprintable())[:200]


def _emails(value: object) -> list[dict[str, Any]]:
    given = value if isinstance(value, list) else [value]
    found = []
    for each in given[:MOST_EMAILS]:
        entry = each if isinstance(each, Mapping) else {"value": each}
        address = _text(entry.get("value"))
        if address:
            found.append(
                {
                    "value": address,
                    "type": _text(entry.get("type", "work")).lower(),
                    "primary": str(entry.get("primary", "")).lower() == "true",
                }
            )
    return found


def _meant(emails: list[dict[str, Any]], name: str, value: str) -> list[dict[str, Any]]:
    """Those that a filter means: `emails[type eq "work"]`, `emails[primary eq true]`."""
    if name not in ("type", "primary", "value"):
        raise BadInput("scim-filter")
    return [each for each in emails if str(each[name]).casefold() == value.casefold()]


def _put_email(
    emails: list[dict[str, Any]], name: str, wanted: str, part: str, value: object
) -> None:
    entry = next(iter(_meant(emails, name, wanted)), None)
    if entry is None and name != "value" and len(emails) < MOST_EMAILS:
        kind = wanted if name == "type" else "work"
        entry = {"value": "", "type": kind, "primary": not emails}
        emails.append(entry)
    if entry is not None:
        entry[part] = str(value).lower() == "true" if part == "primary" else _text(value)
