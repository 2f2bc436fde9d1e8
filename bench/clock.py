# ruff: noqa: E501 - tables and patterns read better on one line
"""Processor time of a call and of processes; percentiles."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil


def cpu_ms(call: Callable[[int], object], times: int = 31) -> tuple[float, float]:
    """Minimum and median milliseconds of process time over `times` calls; the call gets its number."""
    spent = []
    for number in range(times):
        began = time.process_time()
        call(number)
        spent.append((time.process_time() - began) * 1000)
    spent.sort()
    return spent[0], spent[len(spent) // 2]


def tree_cpu(pid: int) -> tuple[float, float]:
    """Processor seconds of a process, and with everything it started, also what has ended."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            total += sum(child.cpu_times()[:4])  # with those of its children that ended
    return own.user + own.system, total


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which `percent` % lie; 0 of nothing."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0
