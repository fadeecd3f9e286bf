#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Man pages, completions and bills of materials in the packages, against the programs."""
import gzip
import json
import re
import sys
import unittest
from pathlib import Path

from package_test import NAMES, ROOT, Packages, output, run

sys.path.insert(0, str(ROOT / "deploy/package"))
import linked_packages  # noqa: E402
import program_help  # noqa: E402

# Groups of deploy/packages.txt name these for tests only: no program holds them.
TESTS_ONLY = {"libgtest-dev", "libgmock-dev", "libbenchmark-dev"}


class ManPages(Packages):
    def pages(self):
        return [path for name in NAMES
                for path in (self.files[name] / "usr/share/man").rglob("*.gz")]

    def test_every_command_has_its_page(self):
        names = {path.name for path in self.pages()}
        program = program_help.load(str(self.programs()["comity"]))
        wanted = {f"comity-{topic.words[0]}.1.gz" for topic in program.commands}
        self.assertEqual(names, wanted | {"comity.1.gz", "comityd.8.gz", "comityd.toml.5.gz"})

    def test_every_option_is_in_the_page_of_its_command(self):
        program = program_help.load(str(self.programs()["comity"]))
        for topic in program.commands:
            page = self.files["comity"] / f"usr/share/man/man1/comity-{topic.words[0]}.1.gz"
            text = gzip.decompress(page.read_bytes()).decode().replace("\\-", "-")
            for command in topic.commands or [topic]:
                flags = {option.flags[-1] for option in command.options} - {"--help"}
                self.assertEqual({flag for flag in flags if flag not in text}, set(), command.words)

    def test_they_render_without_a_warning(self):
        for page in self.pages():
            plain = Path(self.folder.name, page.stem)
            plain.write_bytes(gzip.decompress(page.read_bytes()))
            self.assertEqual(run("mandoc", "-Tlint", "-W", "warning", plain).stdout, "")
            rendered = run("man", "--warnings", "-l", plain)
            self.assertEqual((rendered.returncode, rendered.stderr), (0, ""))

    def test_every_key_of_the_sample_configuration_is_explained(self):
        page = self.files["comity-gateway"] / "usr/share/man/man5/comityd.toml.5.gz"
        text = gzip.decompress(page.read_bytes()).decode().replace("\\-", "-")
        sample = (ROOT / "deploy/config/comityd.toml").read_text()
        keys = set(re.findall(r"^(?:# )?([a-z_]+) = ", sample, re.MULTILINE))
        self.assertGreater(len(keys), 15)
        self.assertEqual({key for key in keys if f"\\fB{key}\\fR" not in text}, set())


class Completions(Packages):
    def complete(self, *words):
        script = self.files["comity"] / "usr/share/bash-completion/completions/comity"
        return output("bash", "-c", 'source "$0"; compopt() { :; }; COMP_WORDS=("$@"); '
                      'COMP_CWORD=$(($# - 1)); _comity; echo "${COMPREPLY[@]}"',
                      script, *words).split()

    def test_commands_are_offered(self):
        self.assertEqual(self.complete("comity", "pk"), ["pki"])
        self.assertIn("issue", self.complete("comity", "pki", ""))

    def test_options_are_offered_after_options_with_values(self):
        words = ("comity", "search", "identify", "--purpose", "pki", "--templ")
        self.assertEqual(self.complete(*words), ["--template"])

    def test_files_are_offered_where_a_file_is_expected(self):
        place = str(self.files["comity"] / "usr/bin/comit")
        self.assertEqual(self.complete("comity", "doctor", "--config", place), [place + "y"])

    def test_zsh_takes_its_completion(self):
        script = self.files["comity"] / "usr/share/zsh/vendor-completions/_comity"
        self.assertEqual(run("zsh", "-n", script).stderr, "")


class Bills(Packages):
    def bill(self, name):
        return json.loads((self.files[name] / f"usr/share/doc/{name}/sbom.cdx.json").read_text())

    def test_they_have_what_cyclonedx_demands(self):
        for name in NAMES:
            bill = self.bill(name)
            self.assertEqual((bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.5"))
            self.assertRegex(bill["serialNumber"],
                             r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
            self.assertRegex(bill["metadata"]["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            refs = [bill["metadata"]["component"]["bom-ref"]]
            for component in bill["components"]:
                refs.append(component["bom-ref"])
                self.assertEqual(component["type"], "library")
                self.assertRegex(component["purl"],
                                 r"^pkg:deb/debian/[a-z0-9.%A-F~-]+@[^?+:]+\?arch=")
                for file in component.get("components", []):
                    refs.append(file["bom-ref"])
                    self.assertRegex(file["hashes"][0]["content"], "^[0-9a-f]{64}$")
            self.assertEqual(len(refs), len(set(refs)))
            for edge in bill["dependencies"]:
                self.assertLessEqual({edge["ref"], *edge["dependsOn"]}, set(refs))

    def test_every_linked_library_is_in_the_bill_of_its_program(self):
        for name, program in self.programs().items():
            listed = {file["name"] for component in self.bill(name)["components"]
                      for file in component.get("components", [])}
            linked = linked_packages.libraries_of(str(program))
            self.assertGreater(len(linked), 20)
            self.assertEqual(set(linked.values()), listed)

    def test_what_the_tree_is_built_with_is_in_a_bill(self):
        sources = {fact["value"] for name in NAMES for component in self.bill(name)["components"]
                   for fact in component["properties"] if fact["name"] == "debian:source"}
        groups = (ROOT / "deploy/packages.txt").read_text().split("# group: ")
        build = next(group for group in groups if group.startswith("build\n"))
        wanted = re.findall(r"^(\S+-dev)$", build, re.MULTILINE)
        described = linked_packages.describe(set(wanted) - TESTS_ONLY)
        missing = {package.name for package in described.values() if package.source not in sources}
        self.assertEqual(missing, set())

    def test_terms_of_what_is_compiled_in_are_with_it(self):
        path = self.files["comity-gateway"] / "usr/share/doc/comity-gateway/notices.gz"
        text = gzip.decompress(path.read_bytes()).decode()
        for package in ("libfaiss-dev", "libsqlitecpp-dev", "nlohmann-json3-dev"):
            self.assertRegex(text, rf"(?m)^{package} \S+$")


if __name__ == "__main__":
    unittest.main()
