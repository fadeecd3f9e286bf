// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash/sha256.h"
#include "services/identity/peers.h"
#include "services/identity/people.h"
#include "services/oversight/bars.h"
#include "services/store/outbox_store.h"
#include "tests/unit/services/identity/peer_sample.h"
#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {

// The registers of people and partners on the ledger, database and log of one agency.
class BarsWorld : public RetentionWorld {
 protected:
  void SetUp() override { MustOpenAll(); }
  void TearDown() override { CloseRegisters(); }

  void CloseRegisters() {
    bars_.reset();
    peers_.reset();
    people_.reset();
  }
  // Registers as at a start, before bars are upheld.
  void OpenRegisters() {
    auto people = identity::People::Open({*store_, *log_, own_, agency_key_, clock_}, first_);
    ASSERT_THAT(people, testing::IsOk());
    people_ = *std::move(people);
    auto peers = identity::Peers::Open(
        {*store_,
         *log_,
         identity::TermsWith(own_.text(), agency_key_.public_key(), log_key_.public_key()),
         agency_key_,
         {},
         clock_});
    ASSERT_THAT(peers, testing::IsOk());
    peers_ = *std::move(peers);
    auto bars =
        Bars::Open({*store_, *log_, *people_, *peers_, *notices_, *ledger_, clock_, *logger_});
    ASSERT_THAT(bars, testing::IsOk());
    bars_ = *std::move(bars);
  }
  void MustOpenAll() {
    CloseRegisters();
    MustOpen();
    OpenRegisters();
  }
  // The node is lost and put back from `copy`; bars are not upheld yet.
  void Restore(const std::filesystem::path& copy) {
    CloseRegisters();
    ASSERT_THAT(RestoreFrom(copy / "comity.db", copy / "log"), testing::IsOk());
    OpenRegisters();
  }

  // `key` tells a person's keys from those they had before.
  identity::Person MakePerson(const std::string& id, identity::RoleSet roles,
                              const std::string& key = "") {
    identity::Person person;
    person.id = policy::PersonId::Parse(id).value();
    person.post = "Post of " + id;
    person.roles = roles;
    person.tls_key = hash::Sha256(AsBytes("certificate of " + id + key));
    person.signing_key = sign::SigningKey::Generate(random_).public_key();
    person.active = true;
    person.added_at = clock_.Now();
    return person;
  }
  // Stored as an act of two people would; memory follows.
  void Put(const identity::Person& person) {
    ASSERT_THAT(log_->Commit([&](store::Transaction& tx, audit::Recorder& recorder) {
      return people_->Put(tx, recorder, person, {"admin-1", "test"});
    }),
                testing::IsOk());
    ASSERT_THAT(people_->Refresh(), testing::IsOk());
  }
  void Revoke(const std::string& id) {
    identity::Person person = Find(id);
    person.active = false;
    Put(person);
  }
  identity::Person Find(const std::string& id) {
    return people_->Find(policy::PersonId::Parse(id).value()).value();
  }
  bool IsActive(const std::string& id) { return Find(id).active; }

  void ChangePeers(const audit::Journal::Work& act) {
    ASSERT_THAT(log_->Commit(act), testing::IsOk());
    ASSERT_THAT(peers_->Refresh(), testing::IsOk());
  }
  void Enrol(const identity::PeerTerms& terms) {
    ChangePeers([&](auto& tx, auto& recorder) { return peers_->Enrol(tx, recorder, terms, kBy); });
  }
  void Remove() {
    ChangePeers([&](auto& tx, auto& recorder) {
      return peers_->Remove(tx, recorder, kPartner, {kBy, "left the federation"});
    });
  }
  identity::PeerState StateOfPartner() { return peers_->Find(kPartner)->state; }

  std::size_t WaitingForPartner() {
    std::size_t waiting = 0;
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto messages, tx.outbox().Waiting(kPartner, 10));
      waiting = messages.size();
      return {};
    }),
                testing::IsOk());
    return waiting;
  }

  // Which enrolments the ledger bars, as often as they stand in it.
  std::vector<std::string> Listed() {
    std::vector<std::string> listed;
    EXPECT_THAT(ledger_->Visit(
                    [&](const backup::LedgerLine& line, const backup::LedgerPosition&) -> Status {
                      if (line.kind != backup::line_kind::kBarred) return {};
                      if (!line.about.starts_with("person-id/")) listed.push_back(line.about);
                      return {};
                    }),
                testing::IsOk());
    return listed;
  }
  Bars::Upheld MustUphold() {
    const auto upheld = bars_->Uphold();
    EXPECT_THAT(upheld, testing::IsOk());
    return upheld.value_or(Bars::Upheld{});
  }
  std::size_t CountEvents(std::string_view type) {
    std::size_t count = 0;
    const std::string field = "\"type\":\"" + std::string(type) + "\"";
    EXPECT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto entries, tx.audit().Read(0, 1'000'000));
      count = static_cast<std::size_t>(std::ranges::count_if(entries, [&](const auto& record) {
        return AsText(record.entry).find(field) != std::string_view::npos;
      }));
      return {};
    }),
                testing::IsOk());
    return count;
  }
  std::string TextOf(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // admin-1, admin-2 and an operator are active, one partner is enrolled; then a copy is made.
  std::filesystem::path CopyWithEverybody() {
    Put(MakePerson("operator-1", {identity::Role::kOperator}));
    Enrol(partner_);
    return CopyNow();
  }

  const policy::AgencyId kPartner = policy::AgencyId::Parse("eastvale-council").value();
  const policy::PersonId kBy = policy::PersonId::Parse("admin-1").value();
  const sign::SigningKey agency_key_ = sign::SigningKey::Generate(random_);
  const identity::PeerTerms partner_ = identity::SampleTerms("eastvale-council");
  std::vector<identity::Person> first_{MakePerson("admin-1", {identity::Role::kAdministrator}),
                                       MakePerson("admin-2", {identity::Role::kAdministrator})};
  std::unique_ptr<identity::People> people_;
  std::unique_ptr<identity::Peers> peers_;
  std::unique_ptr<Bars> bars_;
};

}  // namespace comity::oversight
