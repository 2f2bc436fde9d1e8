"""How often somebody may do something."""

import pytest

from guardrails.errors import GuardrailError
from ui.rates import KEPT, Rate


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_window_slides() -> None:
    clock = Clock()
    rate = Rate(2, 60, clock)
    rate.take("a")
    clock.now += 50
    rate.take("a")
    with pytest.raises(GuardrailError) as caught:
        rate.take("a")
    assert caught.value.data["seconds"] == 11
    rate.take("b")
    clock.now += 10.5
    rate.take("a")
    assert rate.wait("a") > 0


def test_a_refused_act_does_not_count_and_forgetting_helps() -> None:
    rate = Rate(1, 60, Clock())
    rate.take("a")
    for _ in range(3):
        with pytest.raises(GuardrailError):
            rate.take("a")
    rate.forget("a")
    rate.take("a")


def test_many_keys_do_not_fill_the_memory() -> None:
    rate = Rate(1, 60, Clock())
    for number in range(KEPT + 50):
        rate.take(str(number))
    assert len(rate._acts) == KEPT
