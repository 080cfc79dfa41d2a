#!/usr/bin/env python3
"""What ./dev installs, on systems that are played by stubs: nothing runs but the script and a few harmless tools."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

DEV = Path(__file__).resolve().parents[2] / "dev"
PATIENCE = 60

# Each writes down how it was called; apt-get and sudo change nothing.
STUBS = {
    "dpkg-query": 'package=${@: -1}; [[ " $MISSING " == *" $package "* ]] && exit 1; printf installed',
    "apt-get": 'echo "apt-get $*" >>"$CALLS"; exit "${APT_STATUS:-0}"',
    "sudo": 'echo "sudo $*" >>"$CALLS"; "$@"',
    "id": 'echo "$PLAYED_UID"',
}
HARMLESS = ["dirname", "readlink", "nproc", "env", "printf"]


class Packages(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="parley-dev-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.tools = self.folder / "bin"
        self.tools.mkdir()
        for name in HARMLESS:
            (self.tools / name).symlink_to(shutil.which(name))
        for name, script in STUBS.items():
            stub = self.tools / name
            stub.write_text(f"#!/bin/bash\n{script}\n")
            stub.chmod(0o755)

    def remove(self, *names):
        for name in names:
            (self.tools / name).unlink()

    def packages(self, missing="", uid=0, **variables):
        """Runs `./dev packages`; the result, and the calls of what could have changed the system."""
        calls = self.folder / "calls"
        calls.write_text("")
        result = subprocess.run(["/bin/bash", str(DEV), "packages"], capture_output=True, text=True, timeout=PATIENCE,
                                stdin=subprocess.DEVNULL,
                                env={"PATH": str(self.tools), "MISSING": missing, "PLAYED_UID": str(uid),
                                     "CALLS": str(calls), **variables})
        return result, calls.read_text().splitlines()

    def test_nothing_is_installed_or_asked_for_when_nothing_is_missing(self):
        for uid in (0, 1000):
            result, calls = self.packages(uid=uid)
            self.assertEqual((result.returncode, result.stdout, result.stderr, calls), (0, "", "", []))

    def test_root_installs_exactly_what_is_missing(self):
        result, calls = self.packages(missing="cmake libre2-dev")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(calls, ["apt-get update -qq",
                                 "apt-get install -y -qq --no-install-recommends cmake libre2-dev"])
        self.assertIn("installing 2 packages: cmake libre2-dev", result.stderr)

    def test_others_install_through_sudo(self):
        result, calls = self.packages(missing="cmake", uid=1000)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call for call in calls if call.startswith("sudo ")],
                         ["sudo apt-get update -qq", "sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "
                                                     "--no-install-recommends cmake"])

    def test_without_root_and_sudo_it_says_what_root_would_have_to_do(self):
        self.remove("sudo")
        result, calls = self.packages(missing="cmake", uid=1000)
        self.assertEqual((result.returncode, calls), (2, []))
        self.assertRegex(result.stderr, r"error: this needs root or sudo: apt-get ")

    def test_another_system_is_told_the_packages_by_name(self):
        self.remove("dpkg-query", "apt-get")
        result, calls = self.packages()
        self.assertEqual((result.returncode, calls), (2, []))
        self.assertIn("not a Debian system", result.stderr)
        named = set(re.findall(r"[a-z0-9.+-]+", result.stderr))
        self.assertLessEqual({"g++", "cmake", "ninja-build", "libzmq3-dev", "libmsgpack-cxx-dev"}, named)

    def test_a_debian_without_apt_is_told_what_is_missing(self):
        self.remove("apt-get")
        result, _ = self.packages(missing="cmake libre2-dev")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no apt-get here; install: cmake libre2-dev", result.stderr)

    def test_a_failed_installation_ends_the_script(self):
        result, calls = self.packages(missing="cmake", APT_STATUS="100")
        self.assertEqual((result.returncode, calls), (100, ["apt-get update -qq"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
