// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/search_costs.h"

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <sstream>
#include <utility>

#include "crypto/base/check.h"
#include "services/audit/events.h"
#include "services/audit/log.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/gallery.h"
#include "services/matching/scan.h"
#include "services/runtime/descriptor.h"
#include "services/store/hit_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/bench/echo_stream.h"
#include "tests/support/agency_store.h"
#include "tests/support/test_agency.h"

namespace comity::bench {
namespace {

constexpr std::size_t kEntryOctets = 600;     // an entry of a hit
constexpr std::size_t kPayloadOctets = 1100;  // its padded payload, sealed

struct StoreRig {
  testing::TemporaryDirectory folder;
  std::unique_ptr<store::Store> store = store::OpenSqliteStore(folder.path() / "data").value();
};

// Written over and over, as SQLite does with its write-ahead log: no write makes the file longer.
struct FileRig {
  static constexpr std::size_t kBlocks = 256;
  void WriteAndSync() {
    const auto at = static_cast<off_t>(next++ % kBlocks * block.size());
    COMITY_CHECK(::pwrite(file.get(), block.data(), block.size(), at) ==
                 static_cast<ssize_t>(block.size()));
    COMITY_CHECK(::fdatasync(file.get()) == 0);
  }
  testing::TemporaryDirectory folder;
  runtime::Descriptor file{
      ::open((folder.path() / "raw").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  const Bytes block = Bytes(4096, 'b');
  std::size_t next = 0;
};

// A new database's write-ahead log grows for its first 1,000 pages, which costs more: a gateway has
// that behind it within minutes.
void Settle(const Part& commit) {
  constexpr int kUntilItTurns = 600;
  for (int i = 0; i < kUntilItTurns; ++i) commit();
}

audit::Event HitEvent() {
  audit::Event event{.type = audit::kSearchHit};
  event.exchange = "abcdefghijklmnopqrstuvwxyz/42";
  event.parties = {policy::AgencyId::Parse("northshire-police").value(),
                   policy::AgencyId::Parse("eastvale-council").value()};
  event.agreement = {
      .id = policy::AgreementId::Parse("northshire-eastvale").value(), .version = 1, .sha256 = {}};
  event.decision_code = "permit";
  event.clauses = {"p1"};
  event.committed = {{"hits", std::string(120, 'h')}, {"request", std::string(400, 'r')}};
  event.messages = {{"probe", {}}, {"answer", {}}};
  event.counts = {{"hits", 1}};
  return event;
}

// What both gateways write of a hit for the alarms against harvesting: under the watches of the
// agreement, of the officer and of the case.
struct AlarmCounts {
  explicit AlarmCounts(policy::Instant now) : at(now) {}
  Status Add(store::Transaction& transaction) {
    const std::string all = "holder|northshire-eastvale|eastvale-council|p1";
    const std::string of_officer = all + "|officer|" + std::string(64, 'o');
    const std::string of_case = all + "|case|" + std::string(64, 'c');
    for (const std::string& watch : {all, of_officer, of_case}) {
      COMITY_RETURN_IF_ERROR(transaction.hits().AddProbes({watch, at, 1}));
      COMITY_RETURN_IF_ERROR(transaction.hits().AddHit({watch, entry, at, true}));
    }
    return {};
  }
  policy::Instant at;
  Digest entry{};
};

struct SignatureRig {
  explicit SignatureRig(std::size_t dimension) {
    const std::vector<float> values(dimension, 0.05F);
    probe.set_sequence(1);
    probe.set_embedding(values.data(), values.size() * sizeof(float));
    signed_probe = Sign();
  }
  v1::SignedMessage Sign() { return signer.Sign(probe, police, "abcdefghijklmnopqrstuvwxyz"); }
  bool Verify() {
    return verifier.Verify<v1::SearchProbe>(signed_probe, {council, key.public_key()}).has_value();
  }

  policy::AgencyId council = policy::AgencyId::Parse("eastvale-council").value();
  policy::AgencyId police = policy::AgencyId::Parse("northshire-police").value();
  runtime::SystemClock system_clock;
  testing::ManualClock clock{system_clock.Now()};
  SystemRandom random;
  sign::SigningKey key = sign::SigningKey::Generate(random);
  gateway::MessageSigner signer{council, key, clock, random};
  gateway::MessageVerifier verifier{police, clock};
  v1::SearchProbe probe;
  v1::SignedMessage signed_probe;
};

}  // namespace

Part MakeEchoHop() {
  return [echo = std::make_shared<EchoStream>()] {
    echo->Send();
    echo->Receive();
  };
}

Part MakeScan(std::span<const std::vector<float>> templates, double threshold) {
  const auto dimension = static_cast<std::uint32_t>(templates.front().size());
  auto builder = matching::GalleryBuilder::Create({"synthetic", "1", dimension}, templates.size());
  COMITY_CHECK(builder.has_value());
  const auto category = policy::ListCategory::Parse("wanted-by-courts").value();
  for (std::size_t i = 0; i < templates.size(); ++i) {
    COMITY_CHECK(builder->Add({.reference = "r" + std::to_string(i),
                               .category = category,
                               .response_code = "detain",
                               .valid_from = {},
                               .expires_at = policy::Instant(std::chrono::hours(1))},
                              templates[i]));
  }
  return [gallery = std::move(*builder).Build(), scanner = std::make_shared<matching::Scanner>(),
          probe = templates.front(),
          threshold] { COMITY_CHECK(scanner->Scan(*gallery, probe, threshold).has_value()); };
}

Part MakeDurableCommit() {
  const auto rig = std::make_shared<StoreRig>();
  const auto commit = [rig] {
    COMITY_CHECK(rig->store->Write([](store::Transaction& transaction) -> Status {
      COMITY_RETURN_IF_ERROR(transaction.audit().Append(
          Bytes(kEntryOctets, 'e'), "x", {Bytes(72, 'k'), Bytes(kPayloadOctets, 'p')}));
      return {};
    }));
  };
  Settle(commit);
  return commit;
}

Part MakeLoggedCommit() {
  const auto agency = std::make_shared<testing::AgencyStore>();
  const auto commit = [agency, event = HitEvent()] {
    COMITY_CHECK(agency->journal().Record(event));
  };
  Settle(commit);
  return commit;
}

Part MakeCountedCommit() {
  const auto agency = std::make_shared<testing::AgencyStore>();
  const auto counts = std::make_shared<AlarmCounts>(runtime::SystemClock().Now());
  const auto commit = [agency, counts, event = HitEvent()] {
    COMITY_CHECK(agency->journal().Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
          return counts->Add(transaction);
        }));
  };
  Settle(commit);
  return commit;
}

Part MakeRawSync() {
  const auto rig = std::make_shared<FileRig>();
  const auto write = [rig] { rig->WriteAndSync(); };
  for (std::size_t i = 0; i < FileRig::kBlocks; ++i) write();
  return write;
}

Part MakeSigning(std::size_t dimension) {
  return [rig = std::make_shared<SignatureRig>(dimension)] { rig->Sign(); };
}

Part MakeVerifying(std::size_t dimension) {
  return [rig = std::make_shared<SignatureRig>(dimension)] { COMITY_CHECK(rig->Verify()); };
}

}  // namespace comity::bench
