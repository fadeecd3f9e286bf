// SPDX-License-Identifier: Apache-2.0
// What a holder's gateway does with a partner that has valid papers and says in a sealed session
// what it should not say, or when it should not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "services/audit/events.h"
#include "services/transport/limits.h"
#include "tests/hostile/hostile_sealed_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

namespace limits = transport::limits;
using ::testing::ElementsAreArray;

// What is sent at which stage of a session, and what is said of it.
struct Attack {
  enum class Stage { kNew, kOpened, kReady };
  Stage stage;
  std::string kind;    // as the log has it
  std::string reason;  // likewise
  ErrorCode code;      // that the attacker is told
  std::function<void(SealedSession&)> act;
};

template <typename Payload, typename Change>
Payload With(Payload payload, const Change& change) {
  change(payload);
  return payload;
}

class HostileSealedMessage : public HostileSealedRequester {
 protected:
  // Carries all of them out, each in a session of its own. A gateway logs the first refusal of a
  // kind at once and counts those that follow: it is started again where a kind comes anew.
  void Carry(const std::vector<Attack>& attacks) {
    std::set<std::string> kinds;
    std::vector<std::string> expected;
    for (const Attack& attack : attacks) {
      SCOPED_TRACE(attack.kind + ": " + attack.reason);
      if (!kinds.insert(attack.kind).second) {
        ExpectServes();
        police_.Stop();
        ASSERT_THAT(police_.Restart(), IsOk());
        Connect();
        kinds = {attack.kind};
      }
      const auto session = NewSession();
      if (attack.stage == Attack::Stage::kOpened) {
        ASSERT_THAT(session->Open(session->Opening()), IsOk());
      } else if (attack.stage == Attack::Stage::kReady) {
        ASSERT_THAT(session->BeReady(), IsOk());
      }
      attack.act(*session);
      EXPECT_THAT(session->End(), FailsWith(attack.code));
      expected.push_back(attack.kind + ": " + attack.reason);
    }
    ExpectServes();
    const OpenedLog log = StoppedLog();
    std::vector<std::string> refused;
    for (const auto& entry : log.entries()) {
      if (entry.entry.type != audit::kPeerMessageRefused) continue;
      refused.push_back(entry.Field("kind") + ": " + entry.Field("reason"));
      EXPECT_EQ(entry.entry.parties,
                (std::vector<std::string>{"northshire-police", "eastvale-council"}));
    }
    EXPECT_THAT(refused, ElementsAreArray(expected));
    ExpectEverySessionClosed(log);
  }
  static constexpr auto kNew = Attack::Stage::kNew;
  static constexpr auto kOpened = Attack::Stage::kOpened;
  static constexpr auto kReady = Attack::Stage::kReady;
  static constexpr auto kInvalid = ErrorCode::kInvalidArgument;
};

TEST_F(HostileSealedMessage, ThatOpensIsRefusedByName) {
  const auto open = [&](const std::string& reason, auto change,
                        ErrorCode code = ErrorCode::kInvalidArgument) {
    return Attack{kNew, "SealedOpen", reason, code,
                  [change](SealedSession& s) { s.Say(With(s.Opening(), change)); }};
  };
  Carry({
      {kNew, "SealedOpen", "expected the message SealedOpen", kInvalid,
       [](SealedSession& s) { s.Write(v1::SealedMessage()); }},
      {kNew, "SealedOpen", "expected the message SealedOpen", kInvalid,
       [](SealedSession& s) { s.Say(v1::SealedSetUp()); }},
      open("sealed session: 1 to 16 lists", [](auto& m) { m.clear_lists(); }),
      open("sealed session: 1 to 16 lists",
           [](auto& m) {
             while (m.lists_size() < 17) *m.add_lists() = m.lists(0);
           }),
      open("sealed session: a digest has 32 octets",
           [](auto& m) { m.mutable_lists(0)->set_state("short"); }),
      open("sealed session: a nonce has 32 octets", [](auto& m) { m.set_nonce("short"); }),
      open(
          "the requester sees a certificate that this gateway has not shown",
          [](auto& m) { m.set_holder_certificate(Changed(m.holder_certificate())); },
          ErrorCode::kPermissionDenied),
  });
}

TEST_F(HostileSealedMessage, ThatOpensOtherThanAgreedIsDenied) {
  const auto opened = [&](auto change) {
    const auto session = NewSession();
    const Status status = session->Open(With(session->Opening(), change));
    return status ? std::string("opened") : status.error().detail;
  };
  EXPECT_EQ(opened([](auto& m) { m.mutable_terms()->set_mode(v1::SEARCH_MODE_DIRECT); }),
            "DECISION_CODE_MODE_NOT_COVERED");
  EXPECT_EQ(opened([](auto& m) { m.mutable_terms()->set_threshold(0.1); }),
            "DECISION_CODE_THRESHOLD_BELOW_FLOOR");
  EXPECT_EQ(opened([](auto& m) { *m.add_lists() = m.lists(0); }), "DECISION_CODE_LIST_CHANGED");
  EXPECT_EQ(opened([](auto& m) { m.mutable_lists(0)->set_list(Changed(m.lists(0).list())); }),
            "DECISION_CODE_LIST_CHANGED");
  EXPECT_EQ(opened([](auto& m) { m.mutable_lists(0)->set_state(Changed(m.lists(0).state())); }),
            "DECISION_CODE_LIST_CHANGED");
  EXPECT_EQ(opened([](auto& m) { m.mutable_lists(0)->set_sequence(kFarBeyond); }),
            "DECISION_CODE_LIST_CHANGED");
  EXPECT_EQ(ExportLog(police_).Count(audit::kSearchRefused), 6U);
  ExpectServes();
}

TEST_F(HostileSealedMessage, OfTheSetUpIsRefusedByName) {
  const auto set_up = [&](const std::string& reason, auto change) {
    return Attack{kOpened, "SealedSetUp", reason, kInvalid,
                  [change](SealedSession& s) { s.Say(With(s.SetUp(), change)); }};
  };
  const auto points = [&](const std::string& reason, auto change) {
    return set_up(reason, [change](auto& m) { change(*m.mutable_lists(0)->mutable_answer()); });
  };
  const std::string unusable = "base OT: the answer holds an unusable point";
  const auto other = NewSession();
  ASSERT_THAT(other->Open(other->Opening()), IsOk());
  Carry({
      {kOpened, "SealedSetUp", "expected the message SealedSetUp", kInvalid,
       [](SealedSession& s) { s.Say(s.Opening()); }},
      {kOpened, "SealedSetUp", "sealed session: base OTs are signed", kInvalid,
       [](SealedSession& s) {
         v1::SealedMessage part;
         part.mutable_part()->set_kind(v1::SealedPart::KIND_TABLES);
         s.Write(part);
       }},
      {kOpened, "SealedSetUp", "sealed session: the two sides have other terms", kInvalid,
       [&](SealedSession& s) { s.Say(other->SetUp()); }},
      set_up("sealed session: base OTs for each list", [](auto& m) { m.clear_lists(); }),
      set_up("sealed session: base OTs for each list",
             [](auto& m) { *m.add_lists() = m.lists(0); }),
      set_up("sealed session: the two sides have other terms",
             [](auto& m) { m.mutable_lists(0)->set_sid(""); }),
      points("base OT: the answer has the wrong length", [](std::string& a) { a.pop_back(); }),
      points("base OT: the answer has the wrong length", [](std::string& a) { a += '\0'; }),
      points(unusable, [](std::string& a) { a.replace(32, 32, 32, '\0'); }),   // identity
      points(unusable, [](std::string& a) { a.replace(0, 32, 32, '\xff'); }),  // above the prime
      points(unusable, [](std::string& a) { a[a.size() - 32] ^= 1; }),         // negative
  });
}

TEST_F(HostileSealedMessage, OfAnotherSessionIsRefused) {
  const auto first = NewSession();
  const auto opening = peer_->raw().Sign(first->Opening(), first->exchange());
  first->Write(opening);
  ASSERT_THAT(first->NextSigned(), IsOk());
  // The whole stream once more, on another connection.
  SealedPeer again(SetupOf(council_));
  const auto replayed = again.NewSession(lists_);
  replayed->Write(opening);
  EXPECT_THAT(replayed->End(), FailsWith(ErrorCode::kConflict));
  // What was signed for one session in another one.
  const auto source = ReadySession();
  const auto probes = peer_->raw().Sign(OneProbe(*source), source->exchange());
  const auto second = ReadySession();
  second->Write(probes);
  EXPECT_THAT(second->End(), FailsWith(ErrorCode::kPermissionDenied));
  source->Write(probes);
  EXPECT_THAT(source->Tables(1), IsOk());
  ExpectServes();
}

TEST_F(HostileSealedMessage, OfProbesIsRefusedByName) {
  const auto probes = [&](const std::string& reason, auto change, ErrorCode code = kInvalid) {
    return Attack{kReady, "SealedProbes", reason, code,
                  [this, change](SealedSession& s) { s.Say(With(OneProbe(s), change)); }};
  };
  const std::string number =
      "sealed session: 1 to 32 probes, and at most 256 with those of every list";
  Carry({
      {kReady, "SealedProbes", "sealed session: an empty message", kInvalid,
       [](SealedSession& s) { s.Write(v1::SealedMessage()); }},
      {kReady, "SealedProbes", "expected the message SealedProbes", kInvalid,
       [](SealedSession& s) { s.Say(s.SetUp()); }},
      probes("sealed session: batches are counted from 0", [](auto& m) { m.set_batch(1); }),
      probes(number, [](auto& m) { m.clear_probes(); }),
      probes(number,
             [](auto& m) {
               while (m.probes_size() < 33) *m.add_probes() = m.probes(0);
             }),
      probes("sealed session: a c'' has 3072 octets",
             [](auto& m) { m.mutable_probes(0)->mutable_blinded(0)->pop_back(); }),
      probes("sealed session: a c'' for each list",
             [](auto& m) { m.mutable_probes(0)->clear_blinded(); }),
      probes("sealed session: a c'' for each list",
             [](auto& m) { m.mutable_probes(0)->add_blinded(m.probes(0).blinded(0)); }),
      probes("sealed session: a track has 16 octets",
             [](auto& m) { m.mutable_probes(0)->set_track("short"); }),
      probes("sealed session: a state and a binding for each list",
             [](auto& m) { m.clear_bindings(); }),
      probes("sealed session: 1 to 16 lists", [](auto& m) { m.clear_lists(); }),
      probes("sealed session: probes are numbered from 1",
             [](auto& m) { m.mutable_probes(0)->set_sequence(0); }),
      probes(
          "the sequence of a probe does not increase",
          [](auto& m) { *m.add_probes() = m.probes(0); }, ErrorCode::kConflict),
      {kReady, "SealedProbes", "sealed session: probes before the tables of those before", kInvalid,
       [this](SealedSession& s) {
         s.Say(OneProbe(s));
         ASSERT_THAT(s.Tables(1), IsOk());
         s.Say(OneProbe(s));
       }},
  });
}

TEST_F(HostileSealedMessage, OfTablesIsRefusedByName) {
  const auto tables = [&](const std::string& reason, auto change) {
    return Attack{kReady, "SealedPart", reason, kInvalid, [this, change](SealedSession& s) {
                    s.Say(OneProbe(s));
                    auto messages = s.Tables(1);
                    ASSERT_THAT(messages, IsOk());
                    change(*messages->front().mutable_part());
                    s.Write(messages->front());
                  }};
  };
  Carry({
      {kReady, "SealedPart", "sealed session: tables that nobody asked for", kInvalid,
       [](SealedSession& s) {
         v1::SealedMessage message;
         message.mutable_part()->set_kind(v1::SealedPart::KIND_TABLES);
         message.mutable_part()->set_data("x");
         s.Write(message);
       }},
      {kReady, "SealedPart", "sealed session: tables that nobody asked for", kInvalid,
       [this](SealedSession& s) {
         s.Say(OneProbe(s));
         const auto messages = s.Tables(1);
         ASSERT_THAT(messages, IsOk());
         for (int i = 0; i < 2; ++i) s.Write(messages->front());
       }},
      tables("a part of another whole",
             [](auto& part) { part.set_kind(v1::SealedPart::KIND_OFFSETS); }),
      tables("a part of another whole", [](auto& part) { part.set_list(1); }),
      tables("a part of another binding",
             [](auto& part) { part.set_binding(Changed(part.binding())); }),
      tables("a part of another number", [](auto& part) { part.set_probe(1); }),
      tables("a part of another size", [](auto& part) { part.set_size(kFarBeyond); }),
      tables("a part of another place", [](auto& part) { part.set_offset(kFarBeyond); }),
      tables("a part of another place", [](auto& part) { part.clear_data(); }),
      tables("a part of another place", [](auto& part) { part.mutable_data()->push_back('x'); }),
  });
}

TEST_F(HostileSealedMessage, ThatIsLargerThanAnyMayBeEndsTheSession) {
  const auto session = ReadySession();
  v1::SealedMessage message;
  message.mutable_part()->set_kind(v1::SealedPart::KIND_TABLES);
  message.mutable_part()->set_data(std::string(limits::kMaxFederationMessage, 'x'));
  session->Write(message);
  EXPECT_THAT(session->End(), FailsWith(ErrorCode::kExhausted));
  ExpectServes();
  ExpectEverySessionClosed(StoppedLog());
}

}  // namespace
}  // namespace comity::testing
