"""Images and containers in a folder of their own: podman needs no daemon, and here no registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

TOOLS = ("podman", "runc", "mmdebstrap", "catatonit")
# What the base image holds of Debian. Only unpacked: to install it would take twice the time, and
# all that installing adds to what is used here are the lists of users and groups.
PACKAGES = (
    "base-files,base-passwd,coreutils,dash,findutils,libc-bin,passwd,util-linux,"
    "python3-venv,python-is-python3,tzdata"
)
USERS = 'cd "$1" && cp usr/share/base-passwd/passwd.master etc/passwd && mkdir tmp && '
USERS += "cp usr/share/base-passwd/group.master etc/group"
# runc, since crun refuses machines that still have control groups of both versions. Locks in files:
# those in memory are shared with whoever else uses podman. Limits that are low: podman's own are
# above what a machine may allow.
CONFIGURATION = """
[engine]
runtime = "runc"
lock_type = "file"
tmp_dir = "{folder}/tmp"
events_logger = "none"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
"""


def missing() -> str:
    """What this machine lacks to build and run an image; empty if nothing."""
    if os.geteuid() != 0:
        return "to build and run an image needs root"
    absent = " ".join(tool for tool in TOOLS if not shutil.which(tool))
    return absent and f"not installed: {absent} (apt-get install {absent})"


@dataclass
class Podman:
    folder: Path

    def __post_init__(self) -> None:
        self.settings = self.folder / "containers.conf"
        self.settings.write_text(CONFIGURATION.format(folder=self.folder))

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        where = ("--root", self.folder / "images", "--runroot", self.folder / "run")
        return subprocess.Popen(
            ["podman", *map(str, (*where, *words))],
            env={**os.environ, "CONTAINERS_CONF": str(self.settings)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def try_to(self, *words: str | Path, within: float = 60) -> tuple[int, str]:
        """Exit status, and all that was printed."""
        process = self.start(*words)
        try:
            output, errors = process.communicate(timeout=within)
        finally:
            process.kill()
        return process.returncode, (output + errors).strip()

    def __call__(self, *words: str | Path, within: float = 60) -> str:
        code, printed = self.try_to(*words, within=within)
        assert code == 0, f"podman {words[0]}: {code}\n{printed}"
        return printed

    def base(self, name: str, suite: str) -> None:
        """Stand in for the image ``name`` of a registry: Debian's ``suite``, with its Python."""
        root = self.folder / "base.tar"
        make = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={PACKAGES}"]
        make += [f"--customize-hook={USERS}", suite, str(root)]
        done = subprocess.run(make, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        self("import", root, name)
        root.unlink()

    def build(self, project: Path, name: str) -> None:
        """From the project's Dockerfile as it is.

        The steps run in a chroot, so they have the machine's network, and pip gets its packages as
        it does anywhere. It has to trust whom the machine trusts, such as a proxy of its own.
        """
        trust = "--volume=/etc/ssl/certs:/etc/ssl/certs:ro"
        how = ("--isolation=chroot", "--layers=false", trust, f"--tag={name}")
        self("build", *how, project, within=300)

    def clear(self) -> None:
        """End all containers and forget their volumes."""
        self("rm", "--all", "--force", "--time=0")
        self("volume", "prune", "--force")

    def remove(self) -> None:
        self.clear()
        # podman mounts this folder on itself, and does not always undo it.
        subprocess.run(["umount", self.folder / "images" / "overlay"], capture_output=True)
        shutil.rmtree(self.folder)
