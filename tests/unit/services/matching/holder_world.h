// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/sign/ed25519.h"
#include "policy/decide/agreement_set.h"
#include "services/audit/journal.h"
#include "services/audit/log.h"
#include "services/matching/galleries.h"
#include "services/matching/holder_session.h"
#include "services/matching/requester_session.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"
#include "tests/support/manual_clock.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching::testing {

// Passes every unit of work to the real log and keeps what was recorded; refuses on demand, as a
// log on a full disk does.
//
// Threads: thread-safe.
class ObservedJournal final : public audit::Journal {
 public:
  explicit ObservedJournal(audit::Journal& inner) : inner_(inner) {}
  Status Commit(const Work& work) override;

  void Refuse(bool refuse) { refuse_ = refuse; }
  std::vector<audit::Event> Events(std::string_view type) const;  // durable ones, in order
  std::size_t Count(std::string_view type) const { return Events(type).size(); }
  std::size_t size() const {
    return events_.With([](const auto& events) { return events.size(); });
  }

 private:
  audit::Journal& inner_;
  std::atomic<bool> refuse_{false};
  runtime::Guarded<std::vector<audit::Event>> events_;
};

// A folder that is removed with its content.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// What the agreement of these tests says where tests differ.
struct AgreementKnobs {
  std::string id = "northshire-eastvale-2026";
  std::uint32_t version = 1;
  double threshold_floor = 0.5;
  std::uint32_t hit_cap = 3;
  std::uint64_t probes_per_day = 1000;
  std::uint64_t per_officer_per_day = 1000;
  std::uint64_t per_case_per_day = 1000;
  std::vector<policy::ReleaseItem> releases = {policy::ReleaseItem::kReferenceNumber,
                                               policy::ReleaseItem::kCategory,
                                               policy::ReleaseItem::kResponseCode};
  std::vector<std::string> categories = {"wanted-by-courts", "missing-at-risk"};
  std::int64_t attachment_until = kNow + 50'000;
  std::int64_t effective_until = kNow + 80'000;
  std::int64_t review_by = kNow + 70'000;
  policy::SearchMode mode = policy::SearchMode::kDirect;
  std::vector<policy::RequesterRole> roles = {policy::RequesterRole::kEngine};
  std::vector<policy::UseMode> uses = {policy::UseMode::kLive};
  std::optional<policy::OffenceClass> offence_floor;
  policy::TermSet<policy::SubjectCategory> subjects = {policy::SubjectCategory::kSuspect};
  bool signed_by_all = true;
  std::optional<policy::StatementKind> last_word;  // suspension or termination by the holder
};

inline constexpr std::uint32_t kDimension = 128;  // one that can be sealed

// An agency whose lists are searched, with store, log and policy as in the gateway, and the council
// that searches them.
class HolderWorld {
 public:
  HolderWorld();

  // Puts the agreement into force as of now, instead of what was there.
  void Agree(const AgreementKnobs& knobs);
  void Agree(const std::vector<AgreementKnobs>& versions);
  std::shared_ptr<const policy::AgreementSet> agreements() const {
    return agreements_.With([](const auto& set) { return set; });
  }
  policy::AgreementRef Ref(std::uint32_t version = 1) const;
  policy::SearchRequest Request() const;
  SearchTerms Terms();
  // Opens a session that must open.
  std::unique_ptr<HolderSession> Open();
  HolderPorts Ports();
  // A probe of row `index` of the list, under the version in force at first.
  SessionProbe Probe(std::uint64_t sequence, std::size_t index);
  // A probe that nobody on the list resembles.
  SessionProbe Stranger(std::uint64_t sequence);
  Deployment Operation() const;
  RequesterTerms CouncilTerms();
  // The council's operator searches once.
  IdentifyOrder Identify() const;
  RequesterTerms CouncilTerms(std::shared_ptr<const SearchOrder> order);
  RequesterPorts CouncilPorts();

  const policy::AgencyId council = Named<policy::AgencyId>("eastvale-council");
  const policy::AgencyId police = Named<policy::AgencyId>("northshire-police");
  const policy::WatchlistId list = Named<policy::WatchlistId>("operation-lantern");
  ScratchFolder folder;
  comity::testing::ManualClock clock{At(kNow)};
  SystemRandom random;
  std::ostringstream log_text;
  std::unique_ptr<runtime::Logger> logger;
  SecretBytes kek{32};
  sign::SigningKey log_key;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<audit::Log> log;
  std::unique_ptr<ObservedJournal> journal;
  std::unique_ptr<CapacityMeter> capacity;
  Committer committer{kek};
  // On the heap: libstdc++ destroys a mutex without telling ThreadSanitizer, which then takes locks
  // of two tests that had the same stack address for one; freeing memory does tell it.
  std::unique_ptr<AnswerBarrier> barrier_memory = std::make_unique<AnswerBarrier>();
  AnswerBarrier& barrier = *barrier_memory;
  std::unique_ptr<Galleries> galleries_memory = std::make_unique<Galleries>(barrier);
  Galleries& galleries = *galleries_memory;
  Scanner scanner;
  // What the sessions' ports hold; set before a session is opened.
  HolderPorts::Halted halted;
  RequesterPorts::Halted halted_at_council;
  HitObserver* observer = nullptr;
  RememberReleased remember_released;
  Matrix rows;  // 6 rows: r0..r3 wanted-by-courts, r4 missing-at-risk, r5 witness

 private:
  SessionProbe MakeProbe(std::uint64_t sequence, std::span<const float> values);

  runtime::Guarded<std::shared_ptr<const policy::AgreementSet>> agreements_;
  std::map<std::uint64_t, Bytes> embeddings_;  // what the probes' views point to
};

// Terms under which a list is searched in these tests; its own threshold is low.
ListTerms BoundTo(const policy::AgreementId& agreement);
// Stands for building and signing: the digest tells which answer was sealed.
Digest SealedAs(const ProbeAnswer& answer);
Result<ProbeAnswer> Ask(HolderSession& session, const SessionProbe& probe);

}  // namespace comity::matching::testing
