// SPDX-License-Identifier: Apache-2.0
#include "services/identity/person_acts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"

namespace comity::identity {
namespace {

constexpr std::size_t kMaxContent = 8 * 1024;
constexpr std::size_t kMaxReason = 1000;

struct Proposal {
  Person person;
  policy::Instant made_of{};  // the epoch: nobody of this id was known
};
struct Revocation {
  policy::PersonId person;
  std::string reason;
};

Result<Proposal> ParseProposal(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto fields, JsonFields::Parse(content, kMaxContent, "person"));
  Proposal proposal;
  Person& person = proposal.person;
  COMITY_ASSIGN_OR_RETURN(person.id, fields.Parsed("id", policy::PersonId::Parse));
  COMITY_ASSIGN_OR_RETURN(person.post, fields.Text("post"));
  COMITY_ASSIGN_OR_RETURN(const auto roles, fields.Texts("roles"));
  COMITY_ASSIGN_OR_RETURN(person.roles, RoleSet::Parse(roles));
  COMITY_ASSIGN_OR_RETURN(person.tls_key, fields.HexDigest("tls_key"));
  COMITY_ASSIGN_OR_RETURN(person.signing_key, fields.Parsed("signing_key", sign::ParsePublicKey));
  COMITY_ASSIGN_OR_RETURN(proposal.made_of, fields.Parsed("made_of", policy::ParseInstant));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(CheckPerson(person));
  return proposal;
}

Result<Revocation> ParseRevocation(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto fields, JsonFields::Parse(content, kMaxContent, "revocation"));
  Revocation revocation;
  COMITY_ASSIGN_OR_RETURN(revocation.person, fields.Parsed("id", policy::PersonId::Parse));
  COMITY_ASSIGN_OR_RETURN(revocation.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(CheckVisibleText("a reason", revocation.reason, kMaxReason));
  return revocation;
}

std::string Join(RoleSet roles) {
  std::string joined;
  for (const std::string& name : roles.Names()) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

std::string Line(std::string_view name, const std::string& before, const std::string& after) {
  const bool changes = !before.empty() && before != after;
  return std::string(name) + ": " + after + (changes ? " (now: " + before + ")" : "") + "\n";
}

// `before`: null if nobody of this id is known.
std::string DescribePerson(const Person& person, const Person* before) {
  const auto old = [&](const std::string& text) { return before == nullptr ? "" : text; };
  const Person& was = before == nullptr ? person : *before;
  return "Person: " + person.id.text() + "\n" + Line("Post", old(was.post), person.post) +
         Line("Roles", old(Join(was.roles)), Join(person.roles)) +
         Line("Key of the certificate, SHA-256", old(EncodeHex(was.tls_key.view())),
              EncodeHex(person.tls_key.view())) +
         Line("Signing key", old(sign::EncodePublicKey(was.signing_key)),
              sign::EncodePublicKey(person.signing_key));
}

Status CheckKeysFree(const Person& person, const People& people) {
  for (const Person& other : people.List()) {
    if (other.id == person.id) continue;
    if (other.tls_key == person.tls_key || other.signing_key == person.signing_key) {
      return Fail(ErrorCode::kConflict,
                  "a key of " + person.id.text() + " is that of " + other.id.text());
    }
  }
  return {};
}

Status CheckOther(const policy::PersonId& subject, const policy::PersonId& by) {
  if (subject != by) return {};
  return Fail(ErrorCode::kPermissionDenied, "nobody approves a change of their own access");
}

tl::unexpected<Error> ChangedMeanwhile(const policy::PersonId& id) {
  return Fail(ErrorCode::kConflict,
              "person " + id.text() + " has changed since this was proposed; propose it again");
}

ActHandler::AfterCommit RefreshOf(People& people) {
  // A register that cannot be read lets nobody in, and says so at every call.
  return [&people] { static_cast<void>(people.Refresh()); };
}

}  // namespace

std::string EncodePersonProposal(const Person& person, policy::Instant made_of) {
  return EncodeCanonicalJson({{"id", person.id.text()},
                              {"post", person.post},
                              {"roles", person.roles.Names()},
                              {"tls_key", EncodeHex(person.tls_key.view())},
                              {"signing_key", sign::EncodePublicKey(person.signing_key)},
                              {"made_of", policy::EncodeInstant(made_of)}});
}

std::string EncodeRevocation(const policy::PersonId& person, std::string_view reason) {
  return EncodeCanonicalJson({{"id", person.text()}, {"reason", reason}});
}

Result<std::string> PersonAdd::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const Proposal proposal, ParseProposal(content));
  const auto known = people_.Find(proposal.person.id);
  if (known && known->active) {
    return Fail(ErrorCode::kConflict, "there is a person " + known->id.text() +
                                          " already; change them: comity person role");
  }
  COMITY_RETURN_IF_ERROR(CheckKeysFree(proposal.person, people_));
  std::string words =
      "Add a person.\n" + DescribePerson(proposal.person, known ? &*known : nullptr);
  if (known) {
    words += "This id is of a person whose access ended at " +
             policy::EncodeInstant(known->changed_at) + "; it would begin again.\n";
  }
  return words;
}

Result<ActHandler::AfterCommit> PersonAdd::Carry(store::Transaction& transaction,
                                                 audit::Recorder& recorder, const PendingAct& act,
                                                 const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(Proposal proposal, ParseProposal(act.content));
  COMITY_RETURN_IF_ERROR(CheckOther(proposal.person.id, by));
  const auto known = people_.FindIn(transaction, proposal.person.id);
  if (!known && known.error().code != ErrorCode::kNotFound) return Fail(known.error());
  const bool as_proposed = known ? !known->active && known->changed_at == proposal.made_of
                                 : proposal.made_of == policy::Instant{};
  if (!as_proposed) return ChangedMeanwhile(proposal.person.id);
  proposal.person.active = true;
  COMITY_RETURN_IF_ERROR(
      people_.Put(transaction, recorder, proposal.person, {by.text(), "approval " + act.id}));
  return RefreshOf(people_);
}

Result<std::string> PersonRole::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const Proposal proposal, ParseProposal(content));
  COMITY_ASSIGN_OR_RETURN(const Person known, people_.Find(proposal.person.id));
  if (!known.active) {
    return Fail(ErrorCode::kConflict, "the access of " + known.id.text() + " has ended");
  }
  const Person& next = proposal.person;
  if (next.post == known.post && next.roles == known.roles && next.tls_key == known.tls_key &&
      next.signing_key == known.signing_key) {
    return Fail(ErrorCode::kConflict, "nothing would change for " + known.id.text());
  }
  COMITY_RETURN_IF_ERROR(CheckKeysFree(next, people_));
  return "Change a person.\n" + DescribePerson(next, &known);
}

Result<ActHandler::AfterCommit> PersonRole::Carry(store::Transaction& transaction,
                                                  audit::Recorder& recorder, const PendingAct& act,
                                                  const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(Proposal proposal, ParseProposal(act.content));
  COMITY_RETURN_IF_ERROR(CheckOther(proposal.person.id, by));
  COMITY_ASSIGN_OR_RETURN(const Person known, people_.FindIn(transaction, proposal.person.id));
  if (!known.active || known.changed_at != proposal.made_of) {
    return ChangedMeanwhile(proposal.person.id);
  }
  proposal.person.active = true;
  proposal.person.added_at = known.added_at;
  COMITY_RETURN_IF_ERROR(
      people_.Put(transaction, recorder, proposal.person, {by.text(), "approval " + act.id}));
  return RefreshOf(people_);
}

Result<std::string> PersonRevocation::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const Revocation revocation, ParseRevocation(content));
  COMITY_ASSIGN_OR_RETURN(const Person known, people_.Find(revocation.person));
  if (!known.active) {
    return Fail(ErrorCode::kConflict, "the access of " + known.id.text() + " has ended already");
  }
  return "End a person's access.\n" + DescribePerson(known, nullptr) +
         "Reason: " + revocation.reason + "\n";
}

Result<ActHandler::AfterCommit> PersonRevocation::Carry(store::Transaction& transaction,
                                                        audit::Recorder& recorder,
                                                        const PendingAct& act,
                                                        const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const Revocation revocation, ParseRevocation(act.content));
  COMITY_RETURN_IF_ERROR(CheckOther(revocation.person, by));
  COMITY_ASSIGN_OR_RETURN(Person known, people_.FindIn(transaction, revocation.person));
  if (!known.active) return ChangedMeanwhile(revocation.person);
  known.active = false;
  COMITY_RETURN_IF_ERROR(people_.Put(transaction, recorder, known, {by.text(), revocation.reason}));
  return RefreshOf(people_);
}

Status RevokeNow(People& people, audit::Journal& journal, const LoneActs& lone_acts,
                 const RevocationOrder& order) {
  COMITY_RETURN_IF_ERROR(CheckVisibleText("a reason", order.reason, kMaxReason));
  COMITY_RETURN_IF_ERROR(journal.Commit([&](store::Transaction& transaction,
                                            audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(Person known, people.FindIn(transaction, order.person));
    if (!known.active) {
      return Fail(ErrorCode::kConflict, "the access of " + known.id.text() + " has ended already");
    }
    if (known.roles.Meets(kPrivilegedRoles)) {
      return Fail(ErrorCode::kConflict,
                  known.id.text() + " holds a privileged role: that needs two people");
    }
    known.active = false;
    COMITY_RETURN_IF_ERROR(
        people.Put(transaction, recorder, known, {order.by.text(), order.reason}));
    return lone_acts.Tell(transaction, recorder,
                          {Act::kPersonRevoke, "people",
                           "the access of " + known.id.text() + " was ended", order.by.text()});
  }));
  COMITY_RETURN_IF_ERROR(people.Refresh());
  lone_acts.Announce();
  return {};
}

}  // namespace comity::identity
