# ruff: noqa: E501 - tables and patterns read better on one line
"""CPU time of one call, measured alone."""

import time
from collections.abc import Callable


def cpu_ms(call: Callable[[int], object], times: int = 31) -> tuple[float, float]:
    """Minimum and median milliseconds of process time over `times` calls; the call gets its number."""
    spent = []
    for number in range(times):
        began = time.process_time()
        call(number)
        spent.append((time.process_time() - began) * 1000)
    spent.sort()
    return spent[0], spent[len(spent) // 2]
