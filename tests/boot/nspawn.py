"""A real systemd on a private root: a throw-away layer over this machine's own, in a container.

Nothing of it touches the machine: the layer is in memory, the network is private, and systemd
never sees the real root. Where that cannot be had, ``obstacle`` says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

LAYER = """
set -e
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
"""
ENTER = """
cd "$WORK/root"
echo "$USER_NAME:x:990:990::/var/lib/$USER_NAME:/usr/sbin/nologin" >> etc/passwd
echo "$USER_NAME:x:990:" >> etc/group
: > etc/machine-id
find etc/systemd/system -mindepth 1 -delete
cp "$OUT"/itest.* etc/systemd/system/
mkdir -p "srv/$USER_NAME" out
ln -s /etc/systemd/system/itest.target etc/systemd/system/default.target
for timer in apt-daily apt-daily-upgrade fstrim e2scrub_all dpkg-db-backup; do
    ln -s /dev/null "etc/systemd/system/$timer.timer"
done
exec timeout 150 systemd-nspawn --quiet --register=no --keep-unit --link-journal=no \
    --private-network --console=pipe --directory=. --bind="$OUT:/out" \
    --bind-ro="$APP:/srv/$USER_NAME" --boot </dev/null
"""
TARGET = """[Unit]
Requires=basic.target itest.service
After=basic.target
AllowIsolate=yes
"""
SERVICE = """[Unit]
After=basic.target
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/bin/python3 /out/{script}
StandardOutput=append:/out/scenario.log
StandardError=append:/out/scenario.log
"""


def obstacle(folder: Path) -> str:
    """Why no systemd can be booted here; empty if one can."""
    if os.geteuid() != 0:
        return "booting systemd needs root"
    if not shutil.which("systemd-nspawn"):
        return "systemd-nspawn is not installed (apt-get install systemd-container)"
    if not Path("/usr/bin/python3").exists():
        return "services need the system's own Python, /usr/bin/python3"
    tried = _unshared(LAYER, folder, {})
    return "" if tried.returncode == 0 else f"no private root: {tried.stderr.strip()}"


def boot(app: Path, out: Path, user: str, script: str) -> subprocess.CompletedProcess:
    """Boot, run ``script`` (a file in ``out``) inside, power off. Its code is the result's."""
    (out / "itest.target").write_text(TARGET)
    (out / "itest.service").write_text(SERVICE.format(script=script))
    work = out.with_name("layer")
    work.mkdir(exist_ok=True)
    where = {"APP": str(app), "OUT": str(out), "USER_NAME": user}
    done = _unshared(LAYER + ENTER, work, where)
    for name in ("payload", "supervisor"):
        for left in Path("/sys/fs/cgroup").glob(f"*/{name}"):
            _remove_if_unused(left)
    return done


def _remove_if_unused(group: Path) -> None:
    """A control group that the container left behind, and those inside it."""
    inside = [path for path in group.rglob("*") if path.is_dir()]
    for empty in [*sorted(inside, reverse=True), group]:
        with suppress(OSError):  # somebody else's, and in use
            empty.rmdir()


def _unshared(script: str, work: Path, where: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "WORK": str(work), **where},
        capture_output=True,
        text=True,
        timeout=180,
    )
