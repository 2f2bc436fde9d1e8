"""Somebody leaves: what they hold ends, and the account goes. Records nothing: its callers do.

Works on the store alone, so that the server's command line does the same as the pages.
"""

from typing import TYPE_CHECKING

from ui.apikeys import ApiKeys
from ui.groups import Groups
from ui.password_links import PasswordLinks

if TYPE_CHECKING:
    from ui.accounts import Account
    from ui.identity import Identity
    from ui.people import People


def shut_out(people: "People", identity: "Identity", person: str) -> None:
    """Disable an account and end what it holds: sessions, keys, links."""
    people.change(person, disabled=True)
    identity.end_all(person)
    ApiKeys(people.engine).revoke_all(person)
    PasswordLinks(people.engine).end(person)


def remove(people: "People", identity: "Identity", account: "Account") -> None:
    """Remove an account with its sessions, keys, groups and what it allowed services to do."""
    from sandbox.broker.grants import forget

    shut_out(people, identity, account.id)
    Groups(people.engine).forget(account.id)
    forget(people.engine, person=account.id)
    people.remove(account.login)
