// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/person_store.h"

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/role_list.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

Result<PersonRecord> ReadPerson(const Query& row) {
  PersonRecord person;
  COMITY_ASSIGN_OR_RETURN(person.id, ReadId<policy::PersonId>(row, 0));
  person.post = row.Text(1);
  person.roles = SplitRoles(row.Text(2));
  COMITY_ASSIGN_OR_RETURN(person.tls_key, ReadDigest(row, 3));
  person.signing_key = row.Text(4);
  person.vouched = row.Text(5);
  COMITY_ASSIGN_OR_RETURN(
      person.state, ReadEnum<PersonState>(row, 6, {PersonState::kActive, PersonState::kRevoked}));
  person.added_at = row.Time(7);
  person.changed_at = row.Time(8);
  return person;
}

}  // namespace

Status SqlPersonStore::Put(const PersonRecord& person) {
  return GuardedStep(connection_, "store the person", [&]() -> Status {
    Query(connection_,
          "INSERT INTO person (id, post, roles, tls_key, signing_key, vouched, state, added_at,"
          " changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
          " ON CONFLICT (id) DO UPDATE SET post = excluded.post, roles = excluded.roles,"
          " tls_key = excluded.tls_key, signing_key = excluded.signing_key,"
          " vouched = excluded.vouched, state = excluded.state, added_at = excluded.added_at,"
          " changed_at = excluded.changed_at",
          person.id.text(), person.post, JoinRoles(person.roles), person.tls_key.view(),
          person.signing_key, person.vouched, static_cast<std::int64_t>(person.state),
          person.added_at, person.changed_at)
        .Run();
    return {};
  });
}

Result<std::vector<PersonRecord>> SqlPersonStore::All() const {
  using People = std::vector<PersonRecord>;
  return GuardedStep(connection_, "read the people", [&]() -> Result<People> {
    People people;
    Query row(connection_,
              "SELECT id, post, roles, tls_key, signing_key, vouched, state, added_at, changed_at"
              " FROM person ORDER BY id");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto person, ReadPerson(row));
      people.push_back(std::move(person));
    }
    return people;
  });
}

}  // namespace comity::store
