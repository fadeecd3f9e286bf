// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/quantise.h"
#include "crypto/sealed/score.h"
#include "crypto/sealed/sealed_block.h"
#include "services/store/sealed_list_store.h"
#include "services/watchlists/sealed_publications.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists::testing {

inline constexpr std::uint32_t kSealedDimension = 128;
inline const policy::WatchlistId kSealedList = ListId("lantern");
inline const policy::AgencyId kEastvale = policy::AgencyId::Parse("eastvale-council").value();
inline const policy::AgencyId kWestmoor = policy::AgencyId::Parse("westmoor-police").value();

inline SealedScope ScopeFor(const policy::AgencyId& requester) {
  Digest document;
  document.bytes.fill(3);
  return {requester, {kAgreement, 1, document}, kPurpose, kSealedList};
}
inline const SealedScope kScope = ScopeFor(kEastvale);

// Entry "r7" of the times of Entry(), of any number.
inline std::string Name(std::size_t number) {
  return "r" + std::to_string(number);
}

// An agency that seals a watchlist of templates that the test knows, and can restart.
class SealedWorld {
 public:
  SealedWorld() { Open(); }

  // An approved list; entry i has row i.
  void Approve(const std::vector<nlohmann::json>& entries, std::vector<float> rows) {
    auto text = Definition(kSealedList.text());
    text.dimension = kSealedDimension;
    COMITY_CHECK(world.Draft(text).has_value());
    ImportOptions options = world.lists->OptionsFor(kSealedList).value();
    options.format = TemplateFormat::kFloat32;
    const auto parsed = ParseImport(Lines(entries), Float32File(rows), options);
    COMITY_CHECK(world.lists->Add(kSealedList, parsed, kOperator, "file").has_value());
    COMITY_CHECK(world.Approve(kSealedList).has_value());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto row = rows.begin() + static_cast<std::ptrdiff_t>(i * kSealedDimension);
      faces[entries[i].at("reference").get<std::string>()] = {row, row + kSealedDimension};
    }
  }
  void Approve(const std::vector<nlohmann::json>& entries) {
    Approve(entries, UnitRows(entries.size(), kSealedDimension, 77));
  }
  // Entries r0 .. r<count - 1>.
  void Approve(std::size_t count) {
    std::vector<nlohmann::json> entries;
    for (std::size_t i = 0; i < count; ++i) entries.push_back(Entry(Name(i)));
    Approve(entries);
  }
  void Restrict(const std::string& reference) {
    COMITY_CHECK(world.lists->Restrict({kSealedList, reference, false, "why", "o"}).has_value());
  }

  void Restart() {
    publications.reset();
    world.Restart();
    Open();
  }
  void TellOversight() {
    publications.reset();
    world.TellOversight();
    Open();
  }

  SealingTerms terms() const {
    SealingTerms made;
    made.takes = takes;
    made.max_age = max_age;
    made.scales.dimension = kSealedDimension;
    return made;
  }
  Result<Brought> TryBring(const SealedScope& scope = kScope) {
    return publications->Bring(scope, terms(), Now());
  }
  Brought Bring(const SealedScope& scope = kScope) {
    auto brought = TryBring(scope);
    COMITY_CHECK(brought.has_value());
    return *brought;
  }
  // The newest epoch; null: none.
  SealedEpochPtr Epoch(const SealedScope& scope = kScope) const {
    const auto found =
        publications->InForce(scope.requester, scope.agreement, scope.purpose, Now());
    COMITY_CHECK(found.size() <= 1);
    return found.empty() ? nullptr : found.front();
  }
  policy::Instant Now() const { return world.agency.clock.Now(); }

  Result<sealed::Release> Charge(const SealedPublications::Charge& charge) {
    Result<sealed::Release> release = Fail(ErrorCode::kInternal, "not run");
    const Status done = world.agency.store().Write([&](store::Transaction& t) -> Status {
      release = SealedPublications::ChargeRelease(t, charge);
      return {};
    });
    if (!done) return Fail(done.error());
    return release;
  }
  Status Held(const policy::AgencyId& partner, const Digest& header, std::uint64_t sequence) {
    return world.agency.journal().Commit([&](store::Transaction& t, audit::Recorder& recorder) {
      return publications->NoteHeld(t, recorder, partner, header, sequence);
    });
  }
  Status Erased(const policy::AgencyId& partner, const Digest& header) {
    return world.agency.journal().Commit([&](store::Transaction& t, audit::Recorder& recorder) {
      return publications->NoteErased(t, recorder, partner, header);
    });
  }

  store::SealedListRecord Stored(const Digest& header) {
    store::SealedListRecord record;
    COMITY_CHECK(world.agency.store()
                     .Read([&](const store::Transaction& t) -> Status {
                       COMITY_ASSIGN_OR_RETURN(record, t.sealed_lists().Get(header));
                       return {};
                     })
                     .has_value());
    return record;
  }
  // Files of sealed blocks, as paths within the folder.
  std::set<std::string> Files() const {
    std::set<std::string> files;
    for (const auto& at : std::filesystem::recursive_directory_iterator(folder())) {
      if (at.is_regular_file()) files.insert(at.path().lexically_relative(folder()).string());
    }
    return files;
  }
  std::filesystem::path folder() const { return directory.path() / "own"; }

  // What a partner fetches of a block, in small pieces.
  Result<Bytes> Fetch(const SealedEpoch& epoch, const sealed::ListedBlock& block) const {
    Bytes all;
    while (true) {
      COMITY_ASSIGN_OR_RETURN(
          const Bytes piece,
          publications->ReadBlock(epoch.header(), block.number, block.hash, all.size(), 50'000));
      if (piece.empty()) return all;
      all.insert(all.end(), piece.begin(), piece.end());
    }
  }
  // Whom a search with this face finds, as both sides together compute it: the requester from the
  // fetched blocks and the header, the holder from its secrets. Cosines of 0.5 and more.
  std::set<std::string> Search(const SealedEpoch& epoch, const std::vector<float>& face) const {
    const sealed::EpochView& view = *epoch.view;
    const auto q = sealed::Quantiser::Create(kSealedDimension)->Quantise(face).value();
    const auto matrix =
        sealed::PublicMatrix::Expand(view.header().public_seed, kSealedDimension).value();
    const auto probe =
        sealed::Probe::Blind(matrix, q.Expose(), SecretBytes(32), sealed::FastestKernel()).value();
    sealed::Element message;
    COMITY_CHECK(sealed::ParseElement(probe.message(), message).has_value());
    sealed::Transformed transformed;
    sealed::Transform(message, transformed);
    std::set<std::string> found;
    for (std::size_t i = 0; i < view.state().blocks.size(); ++i) {
      const sealed::ListedBlock& listed = view.state().blocks[i];
      const auto block =
          sealed::ParseSealedBlock(Fetch(epoch, listed).value(), kSealedDimension, listed.number)
              .value();
      COMITY_CHECK(sealed::BlockHash(epoch.header(), block) == listed.hash);
      std::vector<sealed::Element> scores(1);
      sealed::Score(block.rows, q.Expose(), sealed::FastestKernel(), scores);
      sealed::Transformed p;
      sealed::Transform(block.p, p);
      probe.AddBlinding(p, scores[0]);
      sealed::Element share;
      view.secrets()[i]->Share(transformed, share);
      for (std::size_t slot = 0; slot < listed.count; ++slot) {
        const std::uint32_t above =
            (scores[0][slot] + share[slot] - view.profile().Threshold(5000).value()) &
            sealed::kModulusMask;
        const std::string* reference = epoch.ReferenceOf(SlotNumber(listed.number, slot));
        if (above < sealed::kModulus / 2 && reference != nullptr) found.insert(*reference);
      }
    }
    return found;
  }
  std::set<std::string> Search(const std::string& reference) const {
    return Search(*Epoch(), faces.at(reference));
  }
  // The entries that take part, by slot number.
  std::map<std::uint32_t, std::string> Slots(const SealedEpoch& epoch) const {
    std::map<std::uint32_t, std::string> slots;
    for (const std::uint32_t number : epoch.view->slots().numbers()) {
      slots[number] = *epoch.ReferenceOf(number);
    }
    return slots;
  }
  std::set<std::string> Sealed(const SealedScope& scope = kScope) const {
    std::set<std::string> references;
    const SealedEpochPtr epoch = Epoch(scope);
    if (epoch == nullptr) return references;
    for (const auto& [number, reference] : Slots(*epoch)) {
      COMITY_CHECK(references.insert(reference).second);  // no entry has two slots
    }
    return references;
  }
  std::uint32_t SlotOf(const SealedEpoch& epoch, const std::string& reference) const {
    for (const auto& [number, name] : Slots(epoch)) {
      if (name == reference) return number;
    }
    return 0;
  }

  Result<std::unique_ptr<SealedPublications>> TryOpen(const SecretBytes& kek) {
    return SealedPublications::Open({.store = world.agency.store(),
                                     .journal = world.journal,
                                     .kek = kek,
                                     .random = world.agency.random,
                                     .clock = world.agency.clock,
                                     .own = world.agency.own,
                                     .agency_key = world.agency_key,
                                     .lists = *world.lists,
                                     .folder = folder(),
                                     .lone_acts = world.lone_acts ? &*world.lone_acts : nullptr});
  }

  comity::testing::TemporaryDirectory directory;
  ListWorld world;
  std::map<std::string, std::vector<float>> faces;
  std::function<bool(const ActiveEntry&)> takes;
  std::chrono::seconds max_age = std::chrono::hours(12);
  std::unique_ptr<SealedPublications> publications;

 private:
  void Open() {
    auto opened = TryOpen(world.agency.kek());
    COMITY_CHECK(opened.has_value());
    publications = std::move(opened).value();
  }
};

}  // namespace comity::watchlists::testing
