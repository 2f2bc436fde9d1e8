"""The seccomp programs name calls that exist, and both rungs get theirs."""

import pytest

from sandbox.launch.filters import AFTER_SETUP, ALWAYS, NUMBERS, SHARED_HOST, program


def test_the_lists_do_not_overlap_and_name_nothing_twice() -> None:
    names = [*ALWAYS, *AFTER_SETUP, *SHARED_HOST]
    assert len(names) == len(set(names))
    assert set(NUMBERS) <= set(names)


@pytest.mark.parametrize("shared_host", [False, True])
def test_the_second_program_refuses_more_than_the_first(shared_host: bool) -> None:
    first, second = program("template", shared_host), program("second", shared_host)
    assert len(first) % 8 == len(second) % 8 == 0
    assert len(first) < len(second) <= 4096 * 8  # the kernel's own bound


def test_a_shared_host_needs_more_refusals() -> None:
    assert len(program("second")) < len(program("second", shared_host=True))
