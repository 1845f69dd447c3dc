"""A small disk that can be filled: a tmpfs, in a mount namespace that goes away with the process.

    alone(argv)         begins again inside such a namespace; returns when that is not permitted
    Disk(folder)        .is_small: it is one; .fill(), .free()"""

import os
import shutil
import subprocess
import sys

SIZE = "1g"
INSIDE = "STAGEDOOR_CHAOS_NAMESPACE"
STEP = 1 << 20


def alone(argv):
    """Root needs no user namespace, everybody else one in which he is root."""
    options = ["--mount"] + ["--map-root-user"] * (os.geteuid() != 0)
    if os.environ.get(INSIDE) or not shutil.which("unshare"):
        return
    if subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode:
        return
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", ["unshare", *options, sys.executable, *argv])


class Disk:
    def __init__(self, folder):
        self.ballast = folder / "ballast"
        self.folder, self.is_small = folder, False
        if os.environ.get(INSIDE):
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "chaos", folder],
                                  capture_output=True, check=False)
            self.is_small = done.returncode == 0

    def fill(self):
        """To the last byte."""
        with self.ballast.open("ab", buffering=0) as file:
            size = STEP
            while size:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                    file.seek(0, os.SEEK_END)
                except OSError:
                    size = size // 2 if size > 4096 else 0

    def free(self):
        self.ballast.unlink(missing_ok=True)

    def remove(self):
        if self.is_small:
            subprocess.run(["umount", "-l", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
