// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/unit/services/cli/comity_process.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kSmall = {"bench", "sealed",  "--entries", "400",       "--dim",
                                         "128",   "--batch", "2",         "--seconds", "0.01"};

std::vector<std::string> Small(const std::vector<std::string>& more) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(BenchSealed, TellsRatiosThatFollowFromItsFigures) {
  const auto json = ComityJson(kSmall);
  EXPECT_EQ(json["entries"], 400);
  EXPECT_EQ(json["dimension"], 128);
  EXPECT_EQ(json["batch"], 2);
  const double whole = json["search_batch"]["whole_m_per_s"];
  const double scan = 1e3 / json["parts"]["scan_one_ns"].get<double>();
  for (const std::string plain : {"faiss_as_shipped", "faiss_tuned", "int8"}) {
    const double batch = json["clear"][plain + "_batch_m_per_s"];
    const double one = json["clear"][plain + "_one_m_per_s"];
    EXPECT_GT(one, 0);
    EXPECT_NEAR(json["ratios"]["whole_batch_of_" + plain], whole / batch, 1e-9 + 1e-6 * whole);
    EXPECT_NEAR(json["ratios"]["scan_one_of_" + plain], scan / one, 1e-6 * scan);
  }
  EXPECT_FALSE(json.contains("line"));
}

TEST(BenchSealed, PredictsALineByTheFormulaOfItsHelp) {
  const auto json = ComityJson(Small({"--rtt", "20ms", "--mbit", "8"}));
  const auto& search = json["search_batch"];
  const double comparisons = 400 * 2;
  const double octets =
      (search["to_holder_octets"].get<double>() + search["to_requester_octets"].get<double>()) *
      comparisons;
  const double expected = 2 * 20 + octets / 1e6 * 1e3 + search["requester_ms"].get<double>() +
                          search["holder_ms"].get<double>();
  EXPECT_NEAR(json["line"]["batch_ms"], expected, 1e-6 * expected);
  EXPECT_NEAR(json["line"]["batch_ms_per_probe"], expected / 2, 1e-6 * expected);
  EXPECT_GT(json["line"]["probes_per_second"], 0);
  EXPECT_NE(json["line"]["limited_by"], "");
}

TEST(BenchSealed, TellsPeopleWhatWasMeasuredWithUnits) {
  const CommandOutput output = Comity(kSmall);
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_EQ(output.err, "");  // progress is for terminals
  for (const char* words :
       {"400 synthetic entries of 128 dimensions", "us an entry", "octets an entry and probe",
        "M comparisons a second", "Faiss IndexFlatIP tuned", "Whole search, batch of 2"}) {
    EXPECT_THAT(output.out, HasSubstr(words));
  }
}

TEST(BenchSealed, ComparesWithEveryScanInClearForOneProbeAndForABatch) {
  const std::string text = Comity(kSmall).out;
  for (const std::string sealed : {"whole search", "sealed scan"}) {
    for (const std::string plain :
         {"Faiss IndexFlatIP as shipped", "Faiss IndexFlatIP tuned", "int8 scan of the gateway"}) {
      for (const std::string probes : {"1 probe", "2 probes"}) {
        EXPECT_THAT(text, HasSubstr("  " + sealed + " / " + plain + ", " + probes + "  "));
      }
    }
  }
}

TEST(BenchSealed, RefusesWhatItCannotMeasure) {
  const std::vector<std::vector<std::string>> refused = {{"--dim", "300"},
                                                         {"--entries", "0"},
                                                         {"--entries", "1000000", "--batch", "9"},
                                                         {"--rtt", "20ms"},
                                                         {"--mbit", "100"},
                                                         {"--rtt", "fast", "--mbit", "100"},
                                                         {"--rtt", "20s", "--mbit", "100"},
                                                         {"--rtt", "-1", "--mbit", "100"},
                                                         {"--rtt", "10001", "--mbit", "100"},
                                                         {"--rtt", "nan", "--mbit", "100"},
                                                         {"--rtt", "20ms", "--mbit", "0"}};
  for (std::vector<std::string> arguments : refused) {
    arguments.insert(arguments.begin(), {"bench", "sealed"});
    const CommandOutput output = Comity(arguments);
    EXPECT_EQ(output.exit_code, 2) << arguments[3];
    EXPECT_EQ(output.out, "");
  }
}

}  // namespace
}  // namespace comity::testing
