"""Why a host cannot hold the seal, as the catalogue key of the exact fix."""

import sys
from pathlib import Path

KNOBS = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "seal.fix.apparmor"),
    ("kernel/unprivileged_userns_clone", "0", "seal.fix.userns-clone"),
    ("user/max_user_namespaces", "0", "seal.fix.max-userns"),
)
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def fix_for_host(bwrap: bool, *, platform: str = sys.platform, root: Path = Path("/")) -> str:
    """The key of the fix for this host. `root` is where its file system begins."""
    if platform == "darwin":
        return "seal.fix.macos"
    if platform != "linux":
        return "seal.fix.other-system"
    if not _has_libseccomp():
        return "seal.fix.libseccomp"
    for knob, bad, key in KNOBS:
        try:
            if (root / "proc/sys" / knob).read_text("ascii").strip() == bad:
                return key
        except OSError:
            continue
    if any((root / mark.lstrip("/")).exists() for mark in CONTAINER_MARKS):
        return "seal.fix.container"
    return "seal.fix.unknown" if bwrap else "seal.fix.install"


def _has_libseccomp() -> bool:
    try:
        import pyseccomp  # noqa: F401  (it looks for the library when imported)
    except (ImportError, RuntimeError, OSError):
        return False
    return True
