#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stands in the built Debian packages, unpacked but not installed.

usage: package_test.py [unittest's options]     packages: $COMITY_PACKAGES or build/release/packages
"""
import gzip
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


class Symbols(Packages):
    def test_each_program_has_its_symbols_in_a_package_apart(self):
        for name, program in self.programs().items():
            found = list(PACKAGES.glob(f"{name}-dbgsym_*.ddeb"))
            self.assertEqual(len(found), 1, name)
            build_id = re.search(r"Build ID: ([0-9a-f]+)", output("readelf", "-n", program))[1]
            folder = Path(self.folder.name, name + ".symbols")
            output("dpkg-deb", "-x", found[0], folder)
            symbols = folder / "usr/lib/debug/.build-id" / build_id[:2] / f"{build_id[2:]}.debug"
            self.assertIn(".debug_line", output("readelf", "-S", symbols))
            self.assertNotIn(str(ROOT).encode() + b"/", symbols.read_bytes())
            sums = output("dpkg-deb", "--info", found[0], "md5sums")
            self.assertEqual([line.split("  ")[1] for line in sums.splitlines()],
                             [str(symbols.relative_to(folder))])


class Engine(unittest.TestCase):
    """The client for engines: on Debian's Python and its packages alone."""

    def setUp(self):
        found = list(PACKAGES.glob("python3-comity-engine_*_all.deb"))
        self.assertEqual(len(found), 1)
        self.deb = found[0]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        output("dpkg-deb", "-x", self.deb, self.folder)

    def test_it_needs_what_the_module_imports(self):
        depends = output("dpkg-deb", "-f", self.deb, "Depends")
        for wanted in ("python3 (", "python3-grpcio", "python3-protobuf"):
            self.assertIn(wanted, depends)
        self.assertEqual(output("dpkg-deb", "-f", self.deb, "Architecture").strip(), "all")

    def test_every_module_of_the_tree_is_there_and_imports(self):
        modules = self.folder / "usr/lib/python3/dist-packages"
        tree = ROOT / "deploy/engine/python/comity_engine"
        names = {path.name for path in tree.glob("*.py")}
        self.assertGreater(len(names), 5)
        self.assertEqual({path.name for path in (modules / "comity_engine").iterdir()}, names)
        for name in names:
            module = "comity_engine." + name.removesuffix(".py")
            command = (f"import sys; sys.path.insert(0, {str(modules)!r}); "
                       f"import {module}; print(sys.modules[{module!r}].__file__)")
            where = output("/usr/bin/python3", "-I", "-B", "-c", command)
            self.assertTrue(where.startswith(str(modules)), where)


class Maintainer(unittest.TestCase):
    build = ROOT / "deploy/package/build"

    def refusal(self, *words, **environment):
        done = subprocess.run([self.build, *words], capture_output=True, text=True, check=False,
                              env=dict(os.environ, **environment), timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_packages_for_others_are_not_made_without_somebody_to_ask(self):
        for address in ("nobody@localhost.invalid", "team@comity.example", "root@localhost"):
            said = self.refusal("--publish", COMITY_MAINTAINER=f"Somebody <{address}>")
            self.assertIn("an address where somebody reads", said)
        said = self.refusal("--publish", COMITY_MAINTAINER="")
        self.assertIn("an address where somebody reads", said)

    def test_what_is_no_name_with_an_address_is_refused(self):
        for wrong in ("somebody", "somebody@agency.org", "Somebody <somebody>", "A <a@b>\nX: y"):
            self.assertIn("NAME <ADDRESS>", self.refusal(COMITY_MAINTAINER=wrong))

    def test_a_changelog_is_signed_by_the_maintainer_of_the_package(self):
        for deb in sorted(PACKAGES.glob("*.deb")):
            name = deb.name.split("_")[0]
            with tempfile.TemporaryDirectory() as folder:
                output("dpkg-deb", "-x", deb, folder)
                log = Path(folder, "usr/share/doc", name, "changelog.Debian.gz")
                text = gzip.decompress(log.read_bytes()).decode()
            maintainer = output("dpkg-deb", "-f", deb, "Maintainer").strip()
            self.assertIn(f"\n -- {maintainer}  ", text)


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

    def test_it_gives_what_the_guide_tells_others_to_give(self):
        guide = (ROOT / "docs/operations/running.md").read_text()
        told = guide[guide.index("Without it, give whatever starts it"):]
        told = " ".join(told[:told.index("\n\n")].split())
        unit = self.unit.read_text().splitlines()
        for words, line in (("a user of its own", "User=comity"), ("umask 077", "UMask=0077"),
                            ("60 s at the stop", "TimeoutStopSec=60"),
                            ("`ulimit -c 0`", "LimitCORE=0"),
                            ("65,536 open files", "LimitNOFILE=65536"),
                            ("1 MiB of memory that may be locked", "LimitMEMLOCK=1M"),
                            ("private temporary folder", "PrivateTmp=yes"),
                            ("started again 10 s after", "RestartSec=10"),
                            ("any other status than 0", "Restart=on-failure"),
                            ("status than 0 and 2", "RestartPreventExitStatus=2"),
                            ("to nothing else", "ProtectSystem=strict")):
            self.assertIn(words, told)
            self.assertIn(line, unit)

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
