"""The one table of who may what."""

from typing import get_args

import pytest

from guardrails.errors import GuardrailError, NotPermitted
from ui.access import MAY, ROLES, Permission, Role, may, require
from ui.identity import Person


def person(*roles: Role) -> Person:
    return Person("u_1", "Sample Person", "", frozenset(roles), "en")


def test_every_permission_has_a_row() -> None:
    assert set(MAY) == set(get_args(Permission))
    assert all(allowed for allowed in MAY.values())


def test_nobody_may_nothing() -> None:
    for permission in MAY:
        assert not may(None, permission)
        with pytest.raises(GuardrailError) as caught:
            require(None, permission)
        assert caught.value.code == "not-signed-in"


@pytest.mark.parametrize("role", ROLES)
def test_require_agrees_with_the_table(role: Role) -> None:
    for permission, allowed in MAY.items():
        if role in allowed:
            assert require(person(role), permission).roles == {role}
        else:
            with pytest.raises(NotPermitted) as caught:
                require(person(role), permission)
            assert caught.value.data["permission"] == permission


def test_a_person_without_roles_may_nothing() -> None:
    assert not any(may(person(), permission) for permission in MAY)


def test_duties_are_separated() -> None:
    assert not may(person("administrator"), "traces.view")
    assert not may(person("security"), "people.manage")
    assert not may(person("champion"), "traces.view")
    assert not may(person("staff"), "review.decide")
