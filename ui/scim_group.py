"""What a PUT or PATCH of a group asks for, read as a whole before any of it is done."""

from dataclasses import dataclass
from typing import Any

from guardrails.errors import BadInput
from ui.scim_common import text_of
from ui.scim_filter import parse_filter, plain_path

MOST_MEMBERS = 10_000


@dataclass
class GroupChange:
    """`members` as they shall be, in order; `name` empty and `external` None stay as they are."""

    members: list[str]
    name: str = ""
    external: str | None = None

    def take(self, op: str, path: str, value: Any) -> None:
        """One operation. Raises BadInput("scim-path", "scim-filter", "scim-value")."""
        name = plain_path(path)
        if name == "members" or name.startswith("members["):
            self._take_members(op, plain_path(path, folded=False), value)
        elif not name and op != "remove" and isinstance(value, dict):
            for part, each in value.items():
                self.take(op, str(part), each)
        elif name == "displayname" and op != "remove":
            self.name = text_of(value, "displayName")
        elif name == "externalid":
            self.external = "" if op == "remove" else text_of(value, "externalId")
        elif name not in ("id", "schemas", "meta", "displayname"):
            raise BadInput("scim-path")

    def _take_members(self, op: str, path: str, value: Any) -> None:
        # Okta and Entra ID remove by path: members[value eq "u_…"]
        given = _named(path) if "[" in path else None
        if op == "remove":
            gone = set(self.members if given is None and value is None else given or ids(value))
            self.members = [each for each in self.members if each not in gone]
        elif given is not None:
            raise BadInput("scim-path")
        elif op == "add":
            self.members = list(dict.fromkeys([*self.members, *ids(value)]))
        else:
            self.members = ids(value)


def _named(path: str) -> list[str]:
    if not path.endswith("]"):
        raise BadInput("scim-path")
    named = parse_filter(path[len("members[") : -1])
    # who is meant must be certain: somebody else would keep a role, or lose one
    if not named or any(each.path != "value" for each in named):
        raise BadInput("scim-filter")
    return [each.value for each in named]


def ids(value: object) -> list[str]:
    """The ids of members, each once. Raises BadInput("scim-value")."""
    given = value if isinstance(value, list) else [value] if value else []
    if len(given) > MOST_MEMBERS:
        raise BadInput("scim-value", attribute="members")
    found = [each.get("value") if isinstance(each, dict) else each for each in given]
    return list(dict.fromkeys(text_of(each, "members") for each in found))
