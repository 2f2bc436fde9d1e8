"""The uid of a run is nobody else's, also in a container with few uids."""

import pytest

from sandbox.launch.base import FIRST_UID, UIDS, own_uid


@pytest.mark.parametrize(
    ("uid_map", "low", "high"),
    [
        ("0 0 4294967295\n", FIRST_UID, FIRST_UID + UIDS),
        ("0 100000 65536\n", 64_000, 65_535),
        ("0 1000 1\n1 100000 65536\n", 64_000, 65_537),
    ],
)
def test_the_uid_is_one_that_this_root_may_use(uid_map: str, low: int, high: int) -> None:
    uids = {own_uid(serial, uid_map) for serial in range(500)}
    assert len(uids) == 500
    assert low <= min(uids)
    assert max(uids) < high
