// SPDX-License-Identifier: Apache-2.0
// An exported log of which a cheating gateway has altered one file, or added one: no log but the
// one that was signed is verified.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/tlog/export_files.h"
#include "tests/fuzz/altered_message.h"
#include "tests/support/sample_log.h"

namespace comity::tlog {
namespace {

// Two tiles of leaves, of which one is partial, and one above them.
const testing::SampleLog& Honest() {
  static const testing::SampleLog log = testing::MakeSampleLog(kTileWidth + 3);
  return log;
}

void TryAltered(std::size_t file, ByteView input) {
  testing::SampleLog log = Honest();
  const auto altered = std::next(log.files.begin(), static_cast<std::ptrdiff_t>(file));
  const Bytes honest = altered->second;
  altered->second = testing::AlteredMessage(honest, input);
  const auto summary = VerifyLog(log.AsExport());
  if (altered->second == honest) {
    COMITY_CHECK(summary.has_value());
  } else if (altered->first == "checkpoint") {
    // A note may carry signatures of strangers; what is signed stays the same.
    static const auto head = VerifyLog(Honest().AsExport())->head;
    COMITY_CHECK(!summary || summary->head.checkpoint.root == head.checkpoint.root);
  } else {
    COMITY_CHECK(!summary);
  }
}

void TryAdded(std::string path) {
  testing::SampleLog log = Honest();
  if (!log.files.emplace(std::move(path), Bytes{1}).second) return;
  COMITY_CHECK(!VerifyLog(log.AsExport()));
}

}  // namespace
}  // namespace comity::tlog

// The first octet names the file; the rest says how it is altered (altered_message.h), or is the
// name of one that is added.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  if (size == 0) return 0;
  const std::size_t files = tlog::Honest().files.size();
  const ByteView rest(data + 1, size - 1);
  if (data[0] % (files + 1) == files) {
    tlog::TryAdded(std::string(AsText(rest)));
  } else {
    tlog::TryAltered(data[0] % (files + 1), rest);
  }
  return 0;
}
