// SPDX-License-Identifier: Apache-2.0
// What a requester's gateway does with a holder that has valid papers and lies in a sealed session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/audit/events.h"
#include "services/runtime/guarded.h"
#include "tests/hostile/lying_holder_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Messages = AlteringHolder::Messages;
using Part = v1::SealedPart;

// Something that is said once in place of what should be, at the first message that `change` takes.
struct Untruth {
  std::string reason;
  // Nothing: not this message.
  std::function<std::optional<Messages>(const v1::SealedMessage&)> change;
};

class HostileSealedSession : public HostileSealedHolder {
 protected:
  using Change = std::function<Messages(const v1::SealedMessage&)>;
  // At the first part of this kind.
  static Untruth At(Part::Kind kind, const std::string& reason, const Change& change) {
    return {reason, [kind, change](const v1::SealedMessage& message) -> std::optional<Messages> {
              if (!message.has_part() || message.part().kind() != kind) return std::nullopt;
              return change(message);
            }};
  }
  static Untruth Changed(Part::Kind kind, const std::string& reason,
                         const std::function<void(Part&)>& change) {
    return At(kind, reason, [change](v1::SealedMessage message) {
      change(*message.mutable_part());
      return Messages{message};
    });
  }
  template <typename Payload>
  Untruth Said(const std::string& reason, const Change& change) const {
    return {reason, [change](const v1::SealedMessage& message) -> std::optional<Messages> {
              if (!message.has_signed_() ||
                  !gateway::MessageVerifier::Claims<Payload>(message.signed_())) {
                return std::nullopt;
              }
              return change(message);
            }};
  }
  template <typename Payload>
  Untruth Resigned(const std::string& reason, const std::function<void(Payload&)>& change) const {
    return Said<Payload>(reason, [this, change](const v1::SealedMessage& message) {
      return Messages{holder_->Changed<Payload>(message, change)};
    });
  }
  static Messages Twice(const v1::SealedMessage& message) { return {message, message}; }
  // The last octet is what is compared at the end, of trees and of pads: no choice hides it.
  static void Flip(Part& part) {
    std::string& data = *part.mutable_data();
    data.back() = static_cast<char>(data.back() ^ 1);
  }
  static void Grow(Part& part) { part.set_size(std::uint64_t{1} << 60); }

  // Each ends the session that it is told in; the next one is as it should be.
  void Carry(const std::vector<Untruth>& untruths, std::size_t alarms = 0) {
    Begin();
    ExpectMiss(RandomTemplate(random_));
    for (const Untruth& untruth : untruths) {
      SCOPED_TRACE(untruth.reason);
      const std::uint64_t sessions = holder_->heard().sessions;
      // Shared: a call may be at it for a moment longer.
      const auto told = std::make_shared<runtime::Watched<bool>>();
      const auto is_told = [&] { return told->With([](bool done) { return done; }); };
      holder_->Lie({.said = [told, untruth](const v1::SealedMessage& message) {
        return told->With([&](bool& done) -> Messages {
          auto changed = done ? std::nullopt : untruth.change(message);
          if (!changed) return {message};
          done = true;
          return *std::move(changed);
        });
      }});
      AskUntil(RandomTemplate(random_), [&](const v1::WatchAnswer& answer) {
        EXPECT_EQ(answer.answered().alerts_size(), 0) << answer.DebugString();
        if (!is_told()) holder_->DropSessions();  // it is said when one opens
        return is_told() && holder_->heard().sessions > sessions && answer.has_answered();
      });
      EXPECT_TRUE(is_told());
      EXPECT_GT(holder_->heard().sessions, sessions) << "the session goes on";
      holder_->BeHonest();
    }
    ExpectHit(entries_[2], "ref-2");
    for (const char* person : {"admin-1", "dpo"}) EXPECT_EQ(Alarms(person), alarms) << person;
    EXPECT_EQ(Alarms("operator"), 0U);
    EXPECT_EQ(ExportLog(council_).Count(audit::kAlertRaised), 1U);
    engine_->Cancel();
    council_.Stop();
    std::vector<std::string> reasons;
    for (const Untruth& untruth : untruths) reasons.push_back(untruth.reason);
    EXPECT_EQ(LinesOf("oblivious-transfer-check-failed").size(), alarms);
    ExpectInOrder(LinesOf("holder-answer-refused"), reasons);
  }
  // Of the first probe of the last batch.
  v1::SealedMessage Refusal(std::uint64_t batch) const {
    const AlteringHolder::Heard heard = holder_->heard();
    v1::SealedAnswers answers;
    answers.set_batch(batch);
    v1::SealedAnswer& answer = *answers.add_answers();
    answer.set_sequence(heard.probe);
    answer.mutable_decision()->set_code(v1::DECISION_CODE_STALE_BLOCK);
    return holder_->Say(answers, heard.exchange);
  }
};

TEST_F(HostileSealedSession, IsNotOpenedOnOtherTermsThanAgreed) {
  using Opened = v1::SealedOpened;
  Carry({
      Resigned<Opened>("a nonce has 32 octets", [](Opened& m) { m.set_nonce("short"); }),
      Resigned<Opened>("the cap is not the agreed one", [](Opened& m) { m.set_cap(m.cap() - 1); }),
      Resigned<Opened>("hits open to an auditor only",
                       [](Opened& m) { m.set_hit_opening(v1::HIT_OPENING_HOLDER); }),
      Resigned<Opened>("an offer for each list", [](Opened& m) { m.clear_offers(); }),
      Resigned<Opened>("the offer is an unusable point",
                       [](Opened& m) { m.set_offers(0, std::string(32, '\0')); }),
      Resigned<Opened>("a certificate that is not ours",
                       [](Opened& m) { m.set_requester_certificate(std::string(32, 'x')); }),
      Said<Opened>("it opens once", Twice),
      Said<Opened>("a message without content",
                   [](const auto&) { return Messages{v1::SealedMessage()}; }),
      Said<Opened>("a part before the set-up",
                   [](const auto&) {
                     v1::SealedMessage part;
                     part.mutable_part()->set_kind(Part::KIND_PADS);
                     return Messages{part};
                   }),
      Said<Opened>("the answer is to another exchange",
                   [this](const auto&) {
                     return Messages{holder_->Say(Opened(), "abcdefghijklmnopqrstuvwxya")};
                   }),
  });
}

TEST_F(HostileSealedSession, IsNotSetUpOtherwiseThanItMustBe) {
  using Ready = v1::SealedReady;
  const auto trees = Part::KIND_TREES;
  const auto pads = Part::KIND_PADS;
  Carry(
      {
          Changed(trees, "the leaf check failed", Flip),
          Changed(trees, "a part of another size", Grow),
          Changed(trees, "a part of a list that is not searched",
                  [](Part& part) { part.set_list(7); }),
          Changed(trees, "a part of another binding",
                  [](Part& part) { part.set_binding(std::string(32, 'x')); }),
          At(trees, "not the time for this", Twice),
          At(trees, "ready before its trees, or twice", [](const auto&) { return Messages{}; }),
          Resigned<Ready>("a session id for each list", [](Ready& m) { m.clear_sids(); }),
          Resigned<Ready>("the two sides have other terms",
                          [](Ready& m) { m.set_sids(0, std::string(32, 'x')); }),
          Said<Ready>("ready before its trees, or twice", Twice),
          Changed(pads, "the consistency check failed", Flip),
          Changed(pads, "a part of another size", Grow),
          Changed(pads, "a part of another number", [](Part& part) { part.set_number(1); }),
          // However many: the first that is one too many ends it.
          At(pads, "a part of another number",
             [](const v1::SealedMessage& message) { return Messages(1000, message); }),
      },
      2);
}

TEST_F(HostileSealedSession, AnswersNothingButWhatItIsAsked) {
  using Answers = v1::SealedAnswers;
  const auto offsets = Part::KIND_OFFSETS;
  const auto answer = [](Answers& message) -> v1::SealedAnswer& {
    return *message.mutable_answers(0);
  };
  Carry({
      Changed(offsets, "a part of another size", Grow),
      Changed(offsets, "a part of another number", [](Part& part) { part.set_probe(1); }),
      Changed(offsets, "a part of another number", [](Part& part) { part.set_number(77); }),
      Changed(offsets, "a part of another binding",
              [](Part& part) { part.set_binding(std::string(32, 'x')); }),
      At(offsets, "offsets that nothing asks for", Twice),
      // A search of the face would be had for nothing.
      At(offsets, "a probe is refused after its offsets, or twice",
         [this](v1::SealedMessage message) {
           std::string& data = *message.mutable_part()->mutable_data();
           data.resize(data.size() / 2);  // the rest does not come any more
           return Messages{message, Refusal(message.part().number())};
         }),
      At(offsets, "a refusal holds a permit",
         [this](const auto&) {
           v1::SearchRefused refused;
           refused.mutable_decision()->set_code(v1::DECISION_CODE_PERMIT);
           return Messages{holder_->Say(refused, holder_->heard().exchange)};
         }),
      Said<Answers>("an answer before the tables", Twice),
      Resigned<Answers>(
          "an answer before the tables",
          [=](Answers& m) { answer(m).set_sequence(m.answers(0).sequence() + 1000); }),
      Resigned<Answers>("an answer to no probe of its batch",
                        [=](Answers& m) { answer(m).set_sequence(0); }),
      Resigned<Answers>("an answer to a batch not sent yet",
                        [](Answers& m) { m.set_batch(m.batch() + 1); }),
      Resigned<Answers>("too many answers",
                        [](Answers& m) {
                          while (m.answers_size() < 33) *m.add_answers() = m.answers(0);
                        }),
      Resigned<Answers>("more hits than the cap",
                        [=](Answers& m) {
                          while (m.answers(0).hits_size() < 9) answer(m).add_hits();
                        }),
      Resigned<Answers>("a hit with a similarity",
                        [=](Answers& m) { answer(m).add_hits()->set_similarity(1.0F); }),
  });
}

// A holder that says of each search that it must be made once more would have a sketch of the face
// as often as it likes.
TEST_F(HostileSealedSession, HasNoMoreThanThreeSketchesOfAFace) {
  Begin();
  ExpectMiss(RandomTemplate(random_));
  const std::uint64_t before = holder_->heard().sketches;
  holder_->Lie({.said = [this](const v1::SealedMessage& message) {
    return Messages{holder_->Changed<v1::SealedAnswers>(message, [](v1::SealedAnswers& answers) {
      for (v1::SealedAnswer& answer : *answers.mutable_answers()) {
        answer.mutable_decision()->set_code(v1::DECISION_CODE_STALE_BLOCK);
      }
    })};
  }});
  const Template face = RandomTemplate(random_);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(AskOnce(face, "track-1").has_answered());
  EXPECT_GE(holder_->heard().sketches, before + 1);
  EXPECT_LE(holder_->heard().sketches, before + 3);
  holder_->BeHonest();
  ExpectMiss(RandomTemplate(random_));
}

}  // namespace
}  // namespace comity::testing
