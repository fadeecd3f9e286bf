#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stands in the built Debian packages, unpacked but not installed.

usage: package_test.py [unittest's options]     packages: $COMITY_PACKAGES or build/release/packages
"""
import os
import re
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(os.environ.get("COMITY_PACKAGES", ROOT / "build/release/packages"))
NAMES = ("comity", "comity-gateway")
EXPOSURE_TENTHS = 20  # systemd-analyze security: 2.0 at most


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, env=dict(os.environ, LC_ALL="C.UTF-8"), **more)


def output(*command):
    done = run(*command)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


class Packages(unittest.TestCase):
    """Unpacks each package once, its files and its control files."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.deb, cls.files, cls.control = {}, {}, {}
        for name in NAMES:
            found = list(PACKAGES.glob(f"{name}_*.deb"))
            if len(found) != 1:
                raise AssertionError(f"{len(found)} packages {name} in {PACKAGES}: run "
                                     "deploy/package/build")
            cls.deb[name] = found[0]
            cls.files[name] = Path(cls.folder.name, name)
            cls.control[name] = Path(cls.folder.name, name + ".control")
            output("dpkg-deb", "-x", found[0], cls.files[name])
            output("dpkg-deb", "-e", found[0], cls.control[name])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def paths(self, name):
        return [path for path in self.files[name].rglob("*") if not path.is_dir()]

    def programs(self):
        return {"comity": self.files["comity"] / "usr/bin/comity",
                "comity-gateway": self.files["comity-gateway"] / "usr/bin/comityd"}


class Contents(Packages):
    def test_programs_are_stripped_position_independent_and_run(self):
        for program in self.programs().values():
            header = output("readelf", "-h", "-d", "-S", program)
            self.assertIn("DYN (Position-Independent Executable file)", header)
            self.assertIn("BIND_NOW", header)
            self.assertNotIn(".debug_info", header)
        self.assertIn("comity ", output(self.programs()["comity"], "version"))
        self.assertIn("comityd/", output(self.programs()["comity-gateway"], "--version"))

    def test_no_file_is_writable_by_others_or_runs_as_another_user(self):
        for name in NAMES:
            for line in output("dpkg-deb", "-c", self.deb[name]).splitlines():
                mode, owner = line.split()[:2]
                self.assertEqual(owner, "root/root", line)
                self.assertNotIn("w", mode[4:], line)
                self.assertNotIn("s", mode.lower(), line)

    def test_only_programs_are_executable(self):
        for name in NAMES:
            runnable = {path.relative_to(self.files[name]).as_posix() for path in self.paths(name)
                        if path.stat().st_mode & stat.S_IXUSR}
            self.assertEqual({path for path in runnable if not path.startswith("usr/bin/")}, set())

    def test_what_lies_in_etc_is_a_conffile_and_nothing_else(self):
        for name in NAMES:
            listed = self.control[name] / "conffiles"
            conffiles = set(listed.read_text().split()) if listed.exists() else set()
            places = [path.relative_to(self.files[name]) for path in self.paths(name)]
            in_etc = {f"/{place.as_posix()}" for place in places if place.parts[0] == "etc"}
            self.assertEqual(conffiles, in_etc)

    def test_no_package_holds_a_configuration_keys_or_data(self):
        for name in NAMES:
            for folder in ("etc/comity", "var"):
                self.assertFalse((self.files[name] / folder).exists(), folder)

    def test_no_path_of_the_build_machine_is_in_a_program(self):
        for program in self.programs().values():
            self.assertNotIn(str(ROOT).encode() + b"/", program.read_bytes())

    def test_documents_link_to_documents_that_are_there(self):
        folder = self.files["comity"] / "usr/share/doc/comity"
        self.assertTrue((folder / "docs/operations/installing.md").exists())
        for page in folder.rglob("*.md"):
            for target in re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", page.read_text()):
                if target.endswith(".md") and not target.endswith(("plan.md", "CONTRIBUTING.md")):
                    self.assertTrue((page.parent / target).exists(), f"{page}: {target}")


class Control(Packages):
    def field(self, name, field):
        return output("dpkg-deb", "-f", self.deb[name], field).strip()

    def test_dependencies_name_what_the_programs_need(self):
        depends = self.field("comity-gateway", "Depends")
        version = self.field("comity", "Version")
        for wanted in (f"comity (= {version})", "libjemalloc2 ", "libgrpc++1.51 ", "libssl3 ",
                       "libopenblas0"):
            self.assertIn(wanted, depends)
        for unwanted in ("systemd", "comity-gateway"):
            self.assertNotIn(unwanted, self.field("comity", "Depends"))

    def test_the_command_line_runs_no_script_on_installation(self):
        present = {path.name for path in self.control["comity"].iterdir()}
        self.assertEqual(present, {"control", "md5sums"})

    def test_scripts_of_the_gateway_are_there_and_executable(self):
        for script in ("postinst", "prerm", "postrm"):
            path = self.control["comity-gateway"] / script
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o755)
            self.assertEqual(run("sh", "-n", path).returncode, 0)

    def test_the_changelog_has_the_version_of_the_packages(self):
        changelog = ROOT / "deploy/package/changelog"
        newest = output("dpkg-parsechangelog", "-l", changelog, "-S", "Version")
        for name in NAMES:
            self.assertEqual(self.field(name, "Version"), newest.strip())


class Unit(Packages):
    def setUp(self):
        text = (self.files["comity-gateway"] / "usr/lib/systemd/system/comityd.service").read_text()
        program = self.programs()["comity-gateway"]
        self.assertIn("ExecStart=/usr/bin/comityd ", text)
        self.unit = Path(self.folder.name, "comityd.service")
        self.unit.write_text(text.replace("/usr/bin/comityd", str(program)))

    def test_systemd_finds_no_fault_in_it(self):
        done = run("systemd-analyze", "verify", "--man=no", self.unit)
        faults = [line for line in (done.stdout + done.stderr).splitlines() if "comityd" in line]
        self.assertEqual(faults, [])

    def test_its_exposure_is_at_most_2(self):
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                   f"--threshold={EXPOSURE_TENTHS}", self.unit)
        self.assertEqual(done.returncode, 0, done.stdout[-400:])

    def test_it_can_read_the_id_of_the_boot(self):
        # A start judges the clock by /proc/sys/kernel/random/boot_id.
        self.assertNotIn("ProcSubset=pid\n", self.unit.read_text())

    def test_it_waits_for_a_configuration(self):
        self.assertIn("ConditionPathExists=/etc/comity/comityd.toml\n", self.unit.read_text())

    def test_its_user_and_folders_are_made(self):
        with tempfile.TemporaryDirectory() as root:
            files = self.files["comity-gateway"]
            Path(root, "etc").mkdir()
            output("systemd-sysusers", f"--root={root}", files / "usr/lib/sysusers.d/comity.conf")
            people = Path(root, "etc/passwd").read_text()
            self.assertRegex(people, r"(?m)^comity:x:\d+:\d+:.*nologin$")
            listed = (files / "usr/lib/tmpfiles.d/comity.conf").read_text()
            self.assertIn("d /etc/comity 0750 root comity", listed)
            self.assertIn("d /var/lib/comity 0700 comity comity", listed)


if __name__ == "__main__":
    unittest.main()
