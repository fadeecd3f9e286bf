// SPDX-License-Identifier: Apache-2.0
// What the command line reads: profiles, short forms of engines and agreements, files of templates.
// One array of templates is the same to the program that sends it and the gateway that takes it.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/cli/agreement_source.h"
#include "services/cli/bench_text.h"
#include "services/cli/profile.h"
#include "services/cli/template_file.h"
#include "services/cli/wire_text.h"
#include "services/watchlists/npy.h"

namespace comity::cli {
namespace {

void TryProfile(std::string_view text) {
  const std::filesystem::path file = "/home/ada/ada.profile";
  const auto profile = ParseProfile(text, file);
  if (!profile) return;
  const auto again = ParseProfile(EncodeProfile(*profile), file);
  COMITY_CHECK(again && again->spiffe_id == profile->spiffe_id);
  COMITY_CHECK(again->gateway.text() == profile->gateway.text());
  COMITY_CHECK(again->identity == profile->identity && again->roots == profile->roots);
  COMITY_CHECK(again->signing_key == profile->signing_key);
}

void TryWords(std::string_view text) {
  if (const auto engine = ParseEngine(text)) COMITY_CHECK(ParseEngine(EngineText(*engine)));
  if (const auto outcome = ParseOutcome(text)) COMITY_CHECK(OutcomeText(*outcome) == text);
  static_cast<void>(ParseMode(text));
  if (const auto name = ParseAgreementName(std::string(text))) COMITY_CHECK(!name->id.empty());
  if (const auto seconds = ParseMilliseconds(std::string(text))) {
    COMITY_CHECK(std::isfinite(*seconds) && *seconds >= 0 && *seconds <= 10);
  }
}

void TryTemplates(ByteView file) {
  const auto sent = LayoutOfNpy(file, "templates.npy");
  const auto taken = watchlists::ParseNpy(file);
  if (sent && taken) {
    COMITY_CHECK(sent->rows == taken->rows && sent->columns == taken->columns);
    COMITY_CHECK(file.data() + sent->begin == taken->elements.data());
  }
  if (!sent) return;
  COMITY_CHECK(sent->begin <= file.size());
  COMITY_CHECK((file.size() - sent->begin) / sent->columns / sizeof(float) == sent->rows);
  const auto row = RowOfNpy(file, sent->rows - 1, "templates.npy");
  COMITY_CHECK(row && row->size() == sent->columns * sizeof(float));
  COMITY_CHECK(!RowOfNpy(file, sent->rows, "templates.npy"));
}

}  // namespace
}  // namespace comity::cli

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  comity::cli::TryProfile(text);
  comity::cli::TryWords(text);
  comity::cli::TryTemplates({data, size});
  return 0;
}
