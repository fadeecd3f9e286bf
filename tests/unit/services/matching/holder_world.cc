// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/services/matching/holder_world.h"

#include <stdlib.h>

#include "services/matching/exchange_id.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::matching::testing {
namespace {

using policy::StatementKind;

template <typename T>
T Must(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().detail.c_str());
  COMITY_CHECK(result.has_value());
  return *std::move(result);
}

Digest NumberedDigest(std::uint8_t kind, std::uint64_t number) {
  Digest digest;
  digest.bytes[0] = kind;
  for (std::size_t i = 0; i < 8; ++i) {
    digest.bytes[i + 1] = static_cast<std::uint8_t>(number >> (8 * i) & 0xff);
  }
  return digest;
}

policy::Party MakeParty(std::string_view agency) {
  policy::Party party;
  party.agency = Named<policy::AgencyId>(agency);
  party.name = std::string(agency);
  party.legal_role = policy::LegalRole::kController;
  party.regimes = {policy::Regime::kUkPart3};
  party.dpo = {.post = "Data Protection Officer", .contact = "dpo@example", .key = "k0"};
  party.signatories = {{.post = "Senior Information Risk Owner", .key = "k1"},
                       {.post = "Chief Officer", .key = "k2"}};
  return party;
}

policy::Agreement MakeAgreement(const AgreementKnobs& knobs) {
  policy::Agreement agreement;
  agreement.id = Named<policy::AgreementId>(knobs.id);
  agreement.version = knobs.version;
  agreement.sha256 = NumberedDigest(1, knobs.version);
  agreement.parties = {MakeParty("northshire-police"), MakeParty("eastvale-council")};
  policy::Purpose& purpose = agreement.purposes.emplace_back();
  purpose.code = Named<policy::PurposeCode>("court-order-arrest");
  purpose.label = "Arrest on warrant";
  purpose.regime = policy::Regime::kUkPart3;
  purpose.legal_power = "PACE 1984 s.24";
  purpose.condition = "DPA 2018 Sch.8 para 1";
  purpose.offence_floor = knobs.offence_floor;
  purpose.subject_categories = knobs.subjects;
  const auto attach = [&](std::string id, policy::AttachmentKind kind) {
    agreement.attachments.push_back({.id = std::move(id),
                                     .kind = kind,
                                     .reference = "ref",
                                     .sha256 = NumberedDigest(2, 1),
                                     .valid_from = At(kNow - 1000),
                                     .valid_until = At(knobs.attachment_until)});
  };
  attach("dpia", policy::AttachmentKind::kDpia);
  attach("apd", policy::AttachmentKind::kApd);
  attach("eia", policy::AttachmentKind::kEia);
  attach("sop", policy::AttachmentKind::kSop);
  attach("legal", policy::AttachmentKind::kLegalMandate);
  policy::SearchPermission permission;
  permission.id = "p1";
  permission.requester = Named<policy::AgencyId>("eastvale-council");
  permission.holder = Named<policy::AgencyId>("northshire-police");
  permission.roles = knobs.roles;
  permission.uses = knobs.uses;
  permission.purposes = {Named<policy::PurposeCode>("court-order-arrest")};
  for (const auto& category : knobs.categories) {
    permission.list_categories.push_back(Category(category));
  }
  permission.mode = knobs.mode;
  permission.engine = Profile(kDimension);
  permission.threshold_floor = knobs.threshold_floor;
  permission.hit_cap = knobs.hit_cap;
  permission.lists = {.max_entries = 1000, .max_age = std::chrono::hours(24 * 7)};
  permission.capacity = {knobs.probes_per_day, knobs.per_officer_per_day, knobs.per_case_per_day};
  for (const policy::ReleaseItem item : knobs.releases) {
    permission.releases.push_back({item, {policy::ReceiverRole::kOperator}});
  }
  agreement.permissions = {permission};
  agreement.retention = {.alert = std::chrono::hours(24), .audit = std::chrono::hours(24 * 365)};
  agreement.effective_from = At(kNow - 900);
  agreement.effective_until = At(knobs.effective_until);
  agreement.review_by = At(knobs.review_by);
  return agreement;
}

std::vector<policy::VerifiedStatement> MakeStatements(const policy::Agreement& agreement,
                                                      const AgreementKnobs& knobs) {
  std::vector<policy::VerifiedStatement> statements;
  const auto say = [&](StatementKind kind, const policy::Party& party, const std::string& post) {
    policy::VerifiedStatement statement;
    statement.id = NumberedDigest(3, statements.size());
    statement.statement.kind = kind;
    statement.statement.agreement = {agreement.id, agreement.version, agreement.sha256};
    statement.statement.party = party.agency;
    statement.statement.post = post;
    statement.statement.at = At(kNow - 950);
    if (kind == StatementKind::kAdvice) {
      statement.statement.position = policy::AdvicePosition::kFor;
    }
    statement.key.bytes[0] = static_cast<std::uint8_t>(statements.size() + 1);
    statement.countersigned = true;
    statements.push_back(std::move(statement));
  };
  for (const policy::Party& party : agreement.parties) {
    say(StatementKind::kAdvice, party, party.dpo.post);
    for (const policy::Signatory& signatory : party.signatories) {
      say(StatementKind::kSignature, party, signatory.post);
    }
  }
  if (!knobs.signed_by_all) statements.pop_back();
  if (knobs.last_word) {
    const policy::Party& holder = agreement.parties.front();
    say(*knobs.last_word, holder, holder.signatories.front().post);
    // It takes two to end an agreement.
    if (*knobs.last_word == StatementKind::kTermination) {
      say(*knobs.last_word, holder, holder.signatories.back().post);
    }
  }
  return statements;
}

}  // namespace

Status ObservedJournal::Commit(const Work& work) {
  if (refuse_) return Fail(ErrorCode::kUnavailable, "the disk is full");
  class Observer final : public audit::Recorder {
   public:
    Observer(audit::Recorder& inner, std::vector<audit::Event>& seen)
        : inner_(inner), seen_(seen) {}
    Result<std::uint64_t> Record(const audit::Event& event) override {
      seen_.push_back(event);
      return inner_.Record(event);
    }

   private:
    audit::Recorder& inner_;
    std::vector<audit::Event>& seen_;
  };
  std::vector<audit::Event> seen;
  const auto observed = [&](store::Transaction& transaction, audit::Recorder& recorder) {
    Observer observer(recorder, seen);
    return work(transaction, observer);
  };
  COMITY_RETURN_IF_ERROR(inner_.Commit(observed));
  events_.With([&](auto& events) { events.insert(events.end(), seen.begin(), seen.end()); });
  return {};
}

std::vector<audit::Event> ObservedJournal::Events(std::string_view type) const {
  return events_.With([&](const auto& events) {
    std::vector<audit::Event> found;
    for (const auto& event : events) {
      if (event.type == type) found.push_back(event);
    }
    return found;
  });
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "comity-matching-XXXXXX").string();
  COMITY_CHECK(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

HolderWorld::HolderWorld()
    : logger(runtime::MakeStreamLogger(runtime::LogLevel::kInfo, clock, log_text)),
      log_key(sign::SigningKey::Generate(random)),
      store(Must(store::OpenSqliteStore(folder.path() / "store"))),
      log(Must(audit::Log::Open({.store = *store,
                                 .log_key = log_key,
                                 .origin = "northshire-police.example/log",
                                 .kek = kek,
                                 .directory = folder.path(),
                                 .clock = clock,
                                 .logger = *logger,
                                 .random = random}))),
      journal(std::make_unique<ObservedJournal>(*log)),
      capacity(std::make_unique<CapacityMeter>(CapacityMeter::Ports{
          .own_agency = police, .store = *store, .journal = *journal, .clock = clock})),
      rows(RandomUnitRows(6, kDimension, 42)) {
  auto builder = Must(GalleryBuilder::Create(Profile(kDimension), 6));
  for (std::size_t i = 0; i < 6; ++i) {
    const char* category = i < 4 ? "wanted-by-courts" : i == 4 ? "missing-at-risk" : "witness";
    COMITY_CHECK(builder
                     .Add(Row("r" + std::to_string(i), category),
                          std::span(rows).subspan(i * kDimension, kDimension))
                     .has_value());
  }
  galleries.Put(list, std::move(builder).Build(), BoundTo(Ref().id));
  Agree(AgreementKnobs{});
}

void HolderWorld::Agree(const AgreementKnobs& knobs) {
  Agree(std::vector{knobs});
}

void HolderWorld::Agree(const std::vector<AgreementKnobs>& versions) {
  std::vector<policy::AgreementInput> inputs;
  for (const AgreementKnobs& knobs : versions) {
    policy::Agreement agreement = MakeAgreement(knobs);
    std::vector<policy::VerifiedStatement> statements = MakeStatements(agreement, knobs);
    inputs.push_back({std::move(agreement), std::move(statements), {}});
  }
  auto set = std::make_shared<const policy::AgreementSet>(
      Must(policy::AgreementSet::Build(std::move(inputs))));
  agreements_.With([&](auto& current) { current.swap(set); });
}

policy::AgreementRef HolderWorld::Ref(std::uint32_t version) const {
  return {Named<policy::AgreementId>("northshire-eastvale-2026"), version,
          NumberedDigest(1, version)};
}

policy::SearchRequest HolderWorld::Request() const {
  policy::SearchRequest request;
  request.requester = council;
  request.holder = police;
  request.agreement = Ref();
  request.purpose = Named<policy::PurposeCode>("court-order-arrest");
  request.role = policy::RequesterRole::kEngine;
  request.use = policy::UseMode::kLive;
  request.mode = policy::SearchMode::kDirect;
  request.list_categories = {Category("wanted-by-courts"), Category("missing-at-risk")};
  request.engine = Profile(kDimension);
  request.threshold = 0.9;
  request.has_case_reference = true;
  return request;
}

SearchTerms HolderWorld::Terms() {
  SearchTerms terms;
  terms.request = Request();
  terms.exchange = NewExchangeId(random);
  terms.deployment = NewDeploymentId(random).text();
  terms.ends_at = At(kNow + 3600);
  terms.commitments = {NumberedDigest(4, 1), NumberedDigest(4, 2)};
  terms.message = NumberedDigest(5, 1);
  return terms;
}

HolderPorts HolderWorld::Ports() {
  return {.agreements = [this] { return agreements(); },
          .galleries = galleries,
          .scanner = scanner,
          .capacity = *capacity,
          .journal = *journal,
          .clock = clock,
          .barrier = barrier,
          .halted = halted,
          .observer = observer,
          .remember_released = remember_released};
}

std::unique_ptr<HolderSession> HolderWorld::Open() {
  auto opened = Must(HolderSession::Open(
      Terms(), Ports(), [](const SessionOpening&) { return NumberedDigest(6, 1); }));
  COMITY_CHECK(opened.session != nullptr);
  return std::move(opened.session);
}

SessionProbe HolderWorld::MakeProbe(std::uint64_t sequence, std::span<const float> values) {
  const Bytes& octets = embeddings_[sequence] = ToOctets(values);
  return {.sequence = sequence,
          .agreement = Ref(),
          .commitments = {NumberedDigest(4, 1), NumberedDigest(4, 2)},
          .embedding = octets,
          .message = NumberedDigest(7, sequence)};
}

SessionProbe HolderWorld::Probe(std::uint64_t sequence, std::size_t index) {
  return MakeProbe(sequence, std::span(rows).subspan(index * kDimension, kDimension));
}

SessionProbe HolderWorld::Stranger(std::uint64_t sequence) {
  return MakeProbe(sequence, RandomUnitRows(1, kDimension, 1000 + sequence));
}

Deployment HolderWorld::Operation() const {
  Deployment deployment;
  const policy::SearchRequest request = Request();
  deployment.agreements = {request.agreement->id};
  deployment.purpose = *request.purpose;
  deployment.list_categories = request.list_categories;
  deployment.engine = *request.engine;
  deployment.engine_name = "camera-hall";
  deployment.threshold = 0.9;
  deployment.place = "Market Square";
  deployment.reason = "Court warrants, market day";
  deployment.case_ref = "EV-2026-114";
  deployment.starts_at = At(kNow - 60);
  deployment.ends_at = At(kNow + 3600);
  deployment.mode = request.mode;
  deployment.expected_faces = 5000;
  deployment.false_match_rate = 1e-6;
  deployment.test_report = "engine test 2026-03";
  deployment.faces_per_false_alert = 1000;
  return deployment;
}

RequesterTerms HolderWorld::CouncilTerms(std::shared_ptr<const SearchOrder> order) {
  return {.holder = police,
          .agreements = {Ref().id},
          .exchange = NewExchangeId(random),
          .order = std::move(order)};
}

RequesterTerms HolderWorld::CouncilTerms() {
  return CouncilTerms(OrderOf(Operation(), NewDeploymentId(random), "person/ada", council));
}

IdentifyOrder HolderWorld::Identify() const {
  const policy::SearchRequest request = Request();
  IdentifyOrder asked;
  asked.own = council;
  asked.purpose = request.purpose;
  asked.mode = request.mode;
  asked.list_categories = request.list_categories;
  asked.engine = *request.engine;
  asked.threshold = *request.threshold;
  asked.case_ref = "EV-2026-114";
  asked.operator_id = "ada";
  asked.aim = SearchAim::kIdentify;
  asked.subject_status = SubjectStatus::kSuspect;
  asked.ends_at = At(kNow + 10);
  return asked;
}

RequesterPorts HolderWorld::CouncilPorts() {
  return {.agreements = [this] { return agreements(); },
          .capacity = *capacity,
          .committer = committer,
          .journal = *journal,
          .clock = clock,
          .barrier = barrier,
          .halted = halted_at_council,
          .observer = observer};
}

ListTerms BoundTo(const policy::AgreementId& agreement) {
  return {.agreements = {agreement},
          .purpose = Named<policy::PurposeCode>("court-order-arrest"),
          .threshold = 0.1,
          .starts_at = At(kNow - 1000),
          .ends_at = At(kNow + 100'000),
          .validated_at = At(kNow - 1000)};
}

Digest SealedAs(const ProbeAnswer& answer) {
  return NumberedDigest(8, answer.sequence);
}

Result<ProbeAnswer> Ask(HolderSession& session, const SessionProbe& probe) {
  return session.OnProbe(probe, SealedAs);
}

}  // namespace comity::matching::testing
