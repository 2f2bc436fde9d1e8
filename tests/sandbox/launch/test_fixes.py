"""Each host that cannot hold the seal is told its own fix, in both languages."""

from pathlib import Path

import pytest

from sandbox.launch.fixes import fix_for_host
from ui.messages import LANGUAGES, say


def host(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "ascii")
    return root


KNOBS = "proc/sys/kernel/"


@pytest.mark.parametrize(
    ("platform", "bwrap", "files", "fix"),
    [
        ("darwin", False, {}, "macos"),
        ("win32", False, {}, "other-system"),
        ("linux", False, {}, "install"),
        ("linux", True, {}, "unknown"),
        ("linux", True, {KNOBS + "apparmor_restrict_unprivileged_userns": "1\n"}, "apparmor"),
        ("linux", True, {KNOBS + "apparmor_restrict_unprivileged_userns": "0\n"}, "unknown"),
        ("linux", True, {KNOBS + "unprivileged_userns_clone": "0\n"}, "userns-clone"),
        ("linux", True, {"proc/sys/user/max_user_namespaces": "0\n"}, "max-userns"),
        ("linux", True, {".dockerenv": ""}, "container"),
        ("linux", False, {"run/.containerenv": ""}, "container"),
    ],
)
def test_the_fix_fits_the_host(
    platform: str, bwrap: bool, files: dict[str, str], fix: str, tmp_path: Path
) -> None:
    key = fix_for_host(bwrap, platform=platform, root=host(tmp_path, files))
    assert key == f"seal.fix.{fix}"
    for language in LANGUAGES:
        assert say(language, key)
