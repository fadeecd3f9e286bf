// SPDX-License-Identifier: Apache-2.0
#include "services/identity/people.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "services/audit/events.h"
#include "services/runtime/guarded.h"

namespace comity::identity {
namespace {

using PeopleById = std::map<policy::PersonId, Person>;

std::string Join(RoleSet roles) {
  std::string joined;
  for (const std::string& name : roles.Names()) joined += (joined.empty() ? "" : ", ") + name;
  return joined.empty() ? "nobody" : joined;
}

bool IsAdministrator(const Person& person) {
  return person.active && person.roles.Has(Role::kAdministrator);
}

// No two people share a key, so that a signature or a channel is one person's.
Status CheckKeys(const Person& person, const PeopleById& people) {
  for (const auto& [id, other] : people) {
    if (id == person.id) continue;
    if (other.tls_key == person.tls_key || other.signing_key == person.signing_key) {
      return Fail(ErrorCode::kConflict,
                  "a key of " + person.id.text() + " is that of " + id.text());
    }
  }
  return {};
}

Status CheckAdministrators(const Person& person, const PeopleById& people) {
  const auto known = people.find(person.id);
  const bool goes =
      known != people.end() && IsAdministrator(known->second) && !IsAdministrator(person);
  const auto left = std::count_if(people.begin(), people.end(), [&](const auto& item) {
    return item.first != person.id && IsAdministrator(item.second);
  });
  if (!goes || left > 0) return {};
  return Fail(ErrorCode::kConflict,
              person.id.text() + " is the last active administrator; add another one first");
}

}  // namespace

struct People::State {
  explicit State(Setup given) : setup(std::move(given)) {}

  Result<PeopleById> ReadAll(const store::Transaction& transaction) const {
    COMITY_ASSIGN_OR_RETURN(const auto records, transaction.people().All());
    PeopleById people;
    for (const store::PersonRecord& record : records) {
      COMITY_ASSIGN_OR_RETURN(Person person,
                              ReadVouched(record, setup.own, setup.agency_key.public_key()));
      people.emplace(record.id, std::move(person));
    }
    return people;
  }
  // Vouches for the person, puts and records. In: known  as it was before; null: nobody of this id
  Status Store(store::Transaction& transaction, audit::Recorder& recorder, Person person,
               const Person* known, const Reason& reason) const;
  Status AddFirst(const People& people, const std::vector<Person>& first);
  Status VouchAnew() const;

  Setup setup;
  std::mutex refresh;  // one at a time, so that an older reading never replaces a newer one
  runtime::Guarded<std::shared_ptr<const PeopleById>> published{
      std::make_shared<const PeopleById>()};
};

// What a former agency key vouches for, under the present one.
Status People::State::VouchAnew() const {
  if (setup.former_keys.empty()) return {};
  return setup.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& /*recorder*/) -> Status {
        COMITY_ASSIGN_OR_RETURN(const auto records, transaction.people().All());
        for (const store::PersonRecord& record : records) {
          for (const sign::PublicKey& former : setup.former_keys) {
            const auto person = ReadVouched(record, setup.own, former);
            if (!person) continue;
            COMITY_RETURN_IF_ERROR(
                transaction.people().Put(Vouch(*person, {setup.own, setup.agency_key})));
          }
        }
        return {};
      });
}

Status People::State::AddFirst(const People& people, const std::vector<Person>& first) {
  return setup.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_ASSIGN_OR_RETURN(const PeopleById known, ReadAll(transaction));
        for (Person person : first) {
          if (known.contains(person.id)) continue;
          person.roles = {Role::kAdministrator};
          person.active = true;
          COMITY_RETURN_IF_ERROR(
              people.Put(transaction, recorder, person, {"configuration", "first administrator"}));
        }
        return {};
      });
}

Status People::State::Store(store::Transaction& transaction, audit::Recorder& recorder,
                            Person person, const Person* known, const Reason& reason) const {
  person.changed_at = setup.clock.Now();
  // Strictly rising, so that a change is always told from what it was made of.
  if (known != nullptr && person.changed_at <= known->changed_at) {
    person.changed_at = known->changed_at + std::chrono::microseconds(1);
  }
  // A further access is told from the one that ended, which the erasure ledger may name.
  const bool begins = person.active && (known == nullptr || !known->active);
  if (begins) person.added_at = person.changed_at;
  const store::PersonRecord record = Vouch(person, {setup.own, setup.agency_key});
  COMITY_RETURN_IF_ERROR(transaction.people().Put(record));
  audit::Event event;
  event.type = known == nullptr ? audit::kPersonAdded
               : person.active  ? audit::kPersonChanged
                                : audit::kPersonRevoked;
  event.parties = {setup.own};
  event.committed = {{"person", person.id.text()},  {"post", person.post},
                     {"roles", Join(person.roles)}, {"record", record.vouched},
                     {"operator", reason.by},       {"reason", reason.text}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return {};
}

People::People(std::unique_ptr<State> state) : state_(std::move(state)) {}
People::~People() = default;

Result<std::unique_ptr<People>> People::Open(Setup setup, const std::vector<Person>& first) {
  std::unique_ptr<People> people(new People(std::make_unique<State>(std::move(setup))));
  COMITY_RETURN_IF_ERROR(people->state_->VouchAnew());
  COMITY_RETURN_IF_ERROR(people->state_->AddFirst(*people, first));
  COMITY_RETURN_IF_ERROR(people->Refresh());
  return people;
}

Result<Caller> People::Authorise(const policy::PersonId& id, const Digest& tls_key, Act act) const {
  const auto people = state_->published.With([](const auto& now) { return now; });
  const auto denied = [&](const std::string& why) {
    return Fail(ErrorCode::kPermissionDenied, std::string(Name(act)) + ": " + why);
  };
  const auto found = people->find(id);
  if (found == people->end()) {
    return denied(id.text() + " is not one of this agency's registered people");
  }
  const Person& person = found->second;
  if (!person.active) return denied("the access of " + id.text() + " has ended");
  if (person.tls_key != tls_key) {
    return denied("the certificate of " + id.text() + " is not of the registered key");
  }
  if (!person.roles.Meets(RuleOf(act).roles)) {
    return denied("it is for " + Join(RuleOf(act).roles) + "; " + id.text() + " is " +
                  Join(person.roles));
  }
  return Caller{person.id, person.roles};
}

Result<Person> People::Find(const policy::PersonId& id) const {
  const auto people = state_->published.With([](const auto& now) { return now; });
  const auto found = people->find(id);
  if (found == people->end()) return Fail(ErrorCode::kNotFound, "there is no person " + id.text());
  return found->second;
}

std::vector<Person> People::List() const {
  const auto people = state_->published.With([](const auto& now) { return now; });
  std::vector<Person> list;
  for (const auto& [id, person] : *people) list.push_back(person);
  return list;
}

Status People::Put(store::Transaction& transaction, audit::Recorder& recorder, const Person& person,
                   const Reason& reason) const {
  COMITY_RETURN_IF_ERROR(CheckPerson(person));
  // From the store, not from memory: the unit of work must see what the one before it left.
  COMITY_ASSIGN_OR_RETURN(const PeopleById people, state_->ReadAll(transaction));
  COMITY_RETURN_IF_ERROR(CheckKeys(person, people));
  COMITY_RETURN_IF_ERROR(CheckAdministrators(person, people));
  const auto known = people.find(person.id);
  return state_->Store(transaction, recorder, person,
                       known == people.end() ? nullptr : &known->second, reason);
}

Status People::EndAgain(store::Transaction& transaction, audit::Recorder& recorder,
                        const policy::PersonId& id, const Reason& reason) const {
  COMITY_ASSIGN_OR_RETURN(const Person known, FindIn(transaction, id));
  if (!known.active) {
    return Fail(ErrorCode::kConflict, "the access of " + id.text() + " has ended already");
  }
  Person ended = known;
  ended.active = false;
  return state_->Store(transaction, recorder, std::move(ended), &known, reason);
}

Result<Person> People::FindIn(const store::Transaction& transaction,
                              const policy::PersonId& id) const {
  COMITY_ASSIGN_OR_RETURN(const auto records, transaction.people().All());
  const auto found = std::ranges::find(records, id, &store::PersonRecord::id);
  if (found == records.end()) return Fail(ErrorCode::kNotFound, "there is no person " + id.text());
  return ReadVouched(*found, state_->setup.own, state_->setup.agency_key.public_key());
}

Result<std::vector<Person>> People::ListIn(const store::Transaction& transaction) const {
  COMITY_ASSIGN_OR_RETURN(const PeopleById people, state_->ReadAll(transaction));
  std::vector<Person> list;
  for (const auto& [id, person] : people) list.push_back(person);
  return list;
}

Status People::Refresh() {
  const std::lock_guard only(state_->refresh);
  PeopleById people;
  const Status read =
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(people, state_->ReadAll(transaction));
        return {};
      });
  // A register that could not be read is empty: nobody is let in.
  auto next = std::make_shared<const PeopleById>(std::move(people));
  state_->published.With([&](auto& now) { now = std::move(next); });
  return read;
}

}  // namespace comity::identity
