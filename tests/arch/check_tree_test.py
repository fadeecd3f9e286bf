#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one break of each rule in a small sound tree and demands that it is found at its line."""
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from check_tree import check

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
TABLE = Path(__file__).with_name("include_table.json")
SOUND = {
    "crypto/base/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                                  "comity_library(NAME crypto/base SRCS a.cc HDRS a.h)\n",
    "crypto/base/a.h": LICENCE + "#pragma once\n",
    "crypto/base/a.cc": LICENCE + '#include "crypto/base/a.h"\n#include <sodium.h>\n',
    "policy/model/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                                   "comity_library(NAME policy/model HDRS m.h DEPS crypto/base)\n",
    "policy/model/m.h": LICENCE + '#pragma once\n#include "crypto/base/a.h"\n',
    "services/audit/events.h": LICENCE + 'constexpr std::string_view kHit = "probe.hit";\n',
    "services/audit/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                                     "add_library(audit events.h)\n",
    "docs/audit_events.md": "| `probe.hit` | a hit |\n",
    "tests/unit/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                                 "comity_test(NAME a_test SRCS a_test.cc)\n",
    "tests/unit/a_test.cc": LICENCE + '#include "policy/model/m.h"\n',
}


# Joined to the sound tree by the tests of the rule on fuzz targets.
FUZZED = {
    "policy/model/m.h": LICENCE + "#pragma once\nResult<int> ParseWord(std::string_view text);\n",
    "tests/fuzz/CMakeLists.txt": "# SPDX-License-Identifier: Apache-2.0\n"
                                 "comity_fuzz(NAME word_fuzz SRCS word_fuzz.cc\n"
                                 "  CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/word)\n",
    "tests/fuzz/word_fuzz.cc": LICENCE + "auto word = ParseWord(text);\n",
    "tests/fuzz/corpus/word/one": "one",
    "tests/fuzz/README.md": "| words | `policy/model/m.h`: `ParseWord` | `word_fuzz` |\n",
}

# Joined to the sound tree by the tests of the rule on the threat model.
MODELLED = {
    "docs/threat_model.md":
        "| A1 | S | H | threat | control. `policy/model/m.h` | fixed | `All/Gate.Shuts/one` | |\n"
        "## Evidence\n"
        "| `tests/unit/a_test.cc` | `Gate`: `Shuts` |\n",
    "tests/unit/a_test.cc": LICENCE + "TEST_P(Gate, Shuts) {}\n",
}


class CheckTree(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="comity-arch-"))
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in SOUND.items():
            self.write(path, text)
        self.write("tests/arch/include_table.json", TABLE.read_text(encoding="utf-8"))

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def add(self, path, text):
        self.write(path, self.root.joinpath(path).read_text(encoding="utf-8") + text)

    def change_table(self, change):
        table = json.loads(TABLE.read_text(encoding="utf-8"))
        change(table)
        self.write("tests/arch/include_table.json", json.dumps(table))

    def expect(self, place, words):
        findings = [str(finding) for finding in check(self.root)]
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(place + ": "), findings[0])
        self.assertIn(words, findings[0])

    def test_a_sound_tree_has_no_findings(self):
        self.assertEqual([str(finding) for finding in check(self.root)], [])

    def fuzz(self):
        for path, text in FUZZED.items():
            self.write(path, text)

    def test_a_parser_with_its_target_has_no_findings(self):
        self.fuzz()
        self.assertEqual([str(finding) for finding in check(self.root)], [])

    def test_finds_a_parser_without_a_fuzz_target(self):
        self.fuzz()
        self.add("policy/model/m.h", "std::optional<Code> ParseCode(std::string_view text);\n")
        self.expect("policy/model/m.h:4", "ParseCode stands in no table")

    def test_finds_a_parser_that_its_target_does_not_try(self):
        self.fuzz()
        self.write("tests/fuzz/word_fuzz.cc", LICENCE)
        self.expect("tests/fuzz/README.md:1", "word_fuzz never names ParseWord")

    def test_finds_a_row_whose_parser_is_gone(self):
        self.fuzz()
        self.write("policy/model/m.h", LICENCE)
        self.expect("tests/fuzz/README.md:1", "policy/model/m.h has no ParseWord")

    def test_finds_a_row_whose_target_is_not_built(self):
        self.fuzz()
        self.add("tests/fuzz/README.md",
                 "| more | `policy/model/m.h`: `ParseWord` | `none_fuzz` |\n")
        self.expect("tests/fuzz/README.md:2", "has no target none_fuzz")

    def test_finds_a_target_without_a_row_or_corpus(self):
        self.fuzz()
        self.add("tests/fuzz/CMakeLists.txt", "comity_fuzz(NAME b_fuzz SRCS word_fuzz.cc"
                 " CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/corpus/word)\n")
        self.expect("tests/fuzz/CMakeLists.txt", "b_fuzz stands in no row")
        self.fuzz()
        self.root.joinpath("tests/fuzz/corpus/word/one").unlink()
        self.expect("tests/fuzz/CMakeLists.txt", "word_fuzz has no corpus")

    def model(self, old="", new=""):
        for path, text in MODELLED.items():
            self.write(path, text.replace(old, new) if old else text)

    def test_a_control_with_its_test_has_no_findings(self):
        self.model()
        self.assertEqual([str(finding) for finding in check(self.root)], [])

    def test_finds_evidence_that_is_no_test(self):
        self.model("TEST_P(Gate, Shuts)", "TEST_P(Gate, ShutsNot)")
        self.expect("docs/threat_model.md:3", "tests/unit/a_test.cc has no test Gate.Shuts")

    def test_finds_a_test_of_a_threat_without_its_file(self):
        self.model("`All/Gate.Shuts/one`", "`All/Gate.Shuts/one`, `Gate.Opens`")
        self.expect("docs/threat_model.md:1", "Gate.Opens stands in no row of ## Evidence")

    def test_finds_evidence_of_no_threat(self):
        self.model("`: `Shuts`", "`: `Opens`, `Shuts`")
        self.add("tests/unit/a_test.cc", "TEST_P(Gate, Opens) {}\n")
        self.expect("docs/threat_model.md:3", "no row on a threat names Gate.Opens")

    def test_finds_a_control_whose_place_is_gone(self):
        self.model("policy/model/m.h", "policy/model/n.h")
        self.expect("docs/threat_model.md:1", "there is no policy/model/n.h")

    def test_finds_an_include_against_the_direction(self):
        self.add("crypto/base/a.cc", '#include "policy/model/m.h"\n')
        self.expect("crypto/base/a.cc:4", "crypto/base may not include policy/model")

    def test_finds_an_include_from_a_subfolder_against_the_direction(self):
        self.write("policy/model/deep/b.h", LICENCE + '#include "services/audit/events.h"\n')
        self.add("policy/model/CMakeLists.txt", "target_sources(x PRIVATE deep/b.h)\n")
        self.expect("policy/model/deep/b.h:2", "policy/model may not include services/audit")

    def test_finds_production_code_that_includes_a_test(self):
        self.add("policy/model/m.h", '#include "tests/support/x.h"\n')
        self.expect("policy/model/m.h:4", "policy/model may not include tests/support")

    def test_finds_an_include_that_is_not_from_the_root(self):
        self.add("policy/model/m.h", '#include "a.h"\n')
        self.expect("policy/model/m.h:4", "not a path from the repository root")

    def test_finds_generated_messages_outside_the_edge(self):
        self.add("policy/model/m.h", "#include <comity/v1/types.pb.h>\n")
        self.expect("policy/model/m.h:4", "types.pb.h may be included in: services/gateway")

    def test_finds_a_library_header_in_the_wrong_folder(self):
        self.add("policy/model/m.h", "#include <sodium.h>\n")
        self.expect("policy/model/m.h:4", "sodium.h may be included in: crypto")

    def test_finds_input_and_output_in_a_pure_folder(self):
        self.add("policy/model/m.h", "#include <fstream>\n")
        self.expect("policy/model/m.h:4", "a pure folder does no I/O")

    def test_finds_a_clock_in_a_pure_folder(self):
        self.add("policy/model/m.h", "auto t = std::chrono::system_clock::now();\n")
        self.expect("policy/model/m.h:4", "a pure folder reads no clock")

    def test_finds_a_folder_without_a_row(self):
        self.write("services/new/n.h", LICENCE + '#include "crypto/base/a.h"\n')
        self.write("services/CMakeLists.txt", "# " + LICENCE + "add_library(n new/n.h)\n")
        self.expect("services/new/n.h:2", "services/new has no row")

    def test_finds_a_cycle_in_the_table(self):
        self.change_table(lambda table: table["folders"]["crypto/base"].append("crypto/hash"))
        self.add("crypto/base/CMakeLists.txt", "")
        cycles = [str(f) for f in check(self.root) if "cycle" in str(f)]
        self.assertIn("crypto/base -> crypto/hash -> crypto/base", cycles[0])

    def test_finds_a_row_that_names_an_unknown_folder(self):
        self.change_table(lambda table: table["folders"]["services/cli"].append("crypto/none"))
        self.expect("tests/arch/include_table.json", "crypto/none, which has no row")

    def test_finds_a_dependency_that_the_row_does_not_have(self):
        self.write("crypto/base/CMakeLists.txt", "# " + LICENCE + "comity_library(NAME crypto/base"
                   "\n  SRCS a.cc HDRS a.h\n  DEPS policy/model)\n")
        self.expect("crypto/base/CMakeLists.txt:2", "policy/model in DEPS is not in its row")

    def test_finds_a_dependency_of_the_row_that_cmake_lacks(self):
        self.write("policy/model/CMakeLists.txt", "# " + LICENCE +
                   "comity_library(NAME policy/model HDRS m.h)\n")
        self.expect("policy/model/CMakeLists.txt:2", "DEPS lack crypto/base")

    def test_finds_a_source_that_is_not_built(self):
        self.write("crypto/base/forgotten.cc", LICENCE)
        self.expect("crypto/base/forgotten.cc", "is in no CMakeLists.txt")

    def test_finds_a_source_that_cmake_names_only_in_a_comment(self):
        self.write("tests/unit/off_test.cc", LICENCE)
        self.add("tests/unit/CMakeLists.txt", "# comity_test(NAME off_test SRCS off_test.cc)\n")
        self.expect("tests/unit/off_test.cc", "is in no CMakeLists.txt")

    def test_finds_a_missing_licence_line(self):
        self.write("crypto/base/a.h", "#pragma once\n")
        self.expect("crypto/base/a.h:1", "the first line must say")

    def test_finds_a_missing_licence_line_in_a_script(self):
        self.write("deploy/run", "#!/bin/sh\nexit 0\n")
        self.expect("deploy/run:1", "the first line must say")

    def test_finds_a_long_file(self):
        self.add("crypto/base/a.h", "\n" * 450)
        self.expect("crypto/base/a.h", "452 lines; the limit is 450")

    def test_finds_a_long_line(self):
        self.add("crypto/base/a.h", "// " + "word " * 20 + "\n")
        self.expect("crypto/base/a.h:3", "columns; the limit is 100")

    def test_finds_work_left_for_later(self):
        self.add("crypto/base/a.h", "// TODO: more\n")
        self.expect("crypto/base/a.h:3", "banned word TODO")

    def test_finds_a_disabled_test(self):
        self.add("tests/unit/a_test.cc", "TEST(A, DISABLED_Works) {}\n")
        self.expect("tests/unit/a_test.cc:3", "banned word DISABLED_")

    def test_finds_a_skipped_test(self):
        self.add("tests/unit/a_test.cc", "TEST(A, Works) { GTEST_SKIP(); }\n")
        self.expect("tests/unit/a_test.cc:3", "banned word GTEST_SKIP")

    def test_finds_a_file_name_that_says_nothing(self):
        self.write("crypto/base/string_utils.h", LICENCE)
        self.add("crypto/base/CMakeLists.txt", "target_sources(x PRIVATE string_utils.h)\n")
        self.expect("crypto/base/string_utils.h", "the name says nothing: utils")

    def test_finds_a_link_that_leads_nowhere(self):
        self.write("docs/a.md", "[b](audit_events.md#x) [c](https://c.example) [d](none.md)\n")
        self.expect("docs/a.md:1", "leads nowhere: none.md")

    def test_finds_a_comment_that_points_to_no_document(self):
        self.add("crypto/base/a.h", "// Form: docs/formats/none.md\n")
        self.expect("crypto/base/a.h:3", "there is no docs/formats/none.md")

    def test_finds_an_audit_event_that_is_not_explained(self):
        self.add("services/audit/events.h", 'constexpr std::string_view kMiss = "probe.miss";\n')
        self.expect("services/audit/events.h:3", "no row for `probe.miss`")


if __name__ == "__main__":
    sys.exit(unittest.main())
