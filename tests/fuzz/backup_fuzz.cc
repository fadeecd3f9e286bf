// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/base/random.h"
#include "services/backup/ledger_line.h"
#include "services/backup/log_part.h"
#include "services/backup/manifest.h"
#include "services/backup/sealed_part.h"

namespace comity::backup {
namespace {

// A ledger line that is accepted was written with the key, in its one spelling.
void TryLine(ByteView input, const SecretBytes& key) {
  if (const auto line = ParseLedgerLine(AsText(input), key)) {
    COMITY_CHECK(EncodeLedgerLine(*line, key) == std::string(AsText(input)) + "\n");
  }
}

// Only names of a log's layout come out, however the octets are cut.
void TryLogPart(ByteView input) {
  LogPartReader reader([](const std::string& path, ByteView) -> Status {
    COMITY_CHECK(path.find("..") == std::string::npos && !path.starts_with('/'));
    return {};
  });
  while (!input.empty()) {
    const std::size_t piece = 1 + input.front() % input.size();
    if (!reader.Feed(input.first(piece))) return;
    input = input.subspan(piece);
  }
  static_cast<void>(reader.Finish());
}

void TryPart(ByteView input, const SecretBytes& key) {
  std::istringstream stream{std::string(AsText(input))};
  const ManifestPart part{"log", input.size(), {}};
  COMITY_CHECK(!ReadPart(stream, part, {key, "b-one", "log"}, [](ByteView) { return Status(); }));
}

}  // namespace
}  // namespace comity::backup

// The first octet chooses what reads the rest: ledger line, manifest, log part, sealed part.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  if (size == 0) return 0;
  static SystemRandom random;
  static const SecretBytes key = SecretBytes::CopyOf(Bytes(32, 7));
  static const sign::SigningKey agency = sign::SigningKey::Generate(random);
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      backup::TryLine(rest, backup::DeriveLedgerKey(key));
      break;
    case 1:
      COMITY_CHECK(!backup::OpenManifest(AsText(rest), agency.public_key()));
      break;
    case 2:
      backup::TryLogPart(rest);
      break;
    default:
      backup::TryPart(rest, key);
  }
  return 0;
}
