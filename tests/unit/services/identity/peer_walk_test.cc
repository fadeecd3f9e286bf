// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/identity/peer_sample.h"

namespace comity::identity {
namespace {

constexpr std::size_t kHorizon = 700;  // seconds of one walk, with room for overlaps
constexpr int kSteps = 500;
constexpr int kWalks = 20;

// What is known of one agency, second by second.
struct NaivePeer {
  enum class State { kNever, kActive, kSuspended, kRemoved } state = State::kNever;
  std::size_t sets = 0;    // of keys
  std::size_t latest = 0;  // index of the latest signing key
  std::string address, ca;
  std::map<std::size_t, std::vector<bool>> accepted;  // key -> second -> whether it speaks
  std::set<std::size_t> given_up;
};

class PeerWalk : public ::testing::TestWithParam<int> {
 protected:
  static constexpr std::size_t kKeys = 40;
  const std::vector<std::string> agencies_ = {"ashford", "eastvale-council", "riverside-health"};

  void SetUp() override {
    random_.seed(static_cast<unsigned>(GetParam()));
    for (std::size_t i = 0; i < kKeys; ++i) {
      keys_.push_back(SampleKey());
      log_keys_.push_back(SampleKey());
    }
  }
  std::size_t Pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }

  // The card of `agency` with key `key`; address and CA of few kinds.
  PeerTerms Card(const std::string& agency, std::size_t key, std::size_t variant) const {
    PeerTerms terms = TermsWith(agency, keys_[key], log_keys_[key]);
    if (variant % 2 == 1) terms.address = "192.0.2.1:7443";
    if (variant >= 2) terms.anchor_pem = "other CA of " + agency + "\n";
    return terms;
  }

  static void Set(std::vector<bool>& flags, std::size_t from, bool value) {
    flags.resize(kHorizon);
    for (std::size_t t = from; t < kHorizon; ++t) flags[t] = value;
  }
  bool IsForeign(const std::string& agency, std::size_t key) const {
    const auto owner = owner_.find(key);
    return owner != owner_.end() && owner->second != agency;
  }
  void Take(NaivePeer& peer, const std::string& agency, const PeerTerms& card, std::size_t key,
            std::size_t from) {
    owner_[key] = agency;
    peer.latest = key;
    peer.address = card.address;
    peer.ca = card.anchor_pem;
    ++peer.sets;
    Set(peer.accepted[key], from, true);
  }

  // Each does an act to the model and says how it must end.
  std::optional<ErrorCode> Enrol(NaivePeer& peer, const std::string& agency, const PeerTerms& card,
                                 std::size_t key) {
    const bool known =
        peer.state == NaivePeer::State::kActive || peer.state == NaivePeer::State::kSuspended;
    if (known || IsForeign(agency, key) || peer.given_up.contains(key)) {
      return ErrorCode::kConflict;
    }
    Take(peer, agency, card, key, peer.state == NaivePeer::State::kNever ? 0 : now_);
    peer.state = NaivePeer::State::kActive;
    return std::nullopt;
  }
  std::optional<ErrorCode> Rekey(NaivePeer& peer, const std::string& agency, const PeerTerms& card,
                                 std::size_t key, const Rekeying& how) {
    if (peer.state == NaivePeer::State::kNever) return ErrorCode::kNotFound;
    if (peer.state == NaivePeer::State::kRemoved) return ErrorCode::kConflict;
    const bool same_key = key == peer.latest;
    const bool same = same_key && card.address == peer.address && card.anchor_pem == peer.ca;
    if (IsForeign(agency, key) || (same && !how.compromised_since)) return ErrorCode::kConflict;
    if (!same_key && peer.given_up.contains(key)) return ErrorCode::kConflict;
    if (how.compromised_since && !Cut(peer, key, *how.compromised_since)) {
      return ErrorCode::kConflict;
    }
    if (same_key && card.anchor_pem == peer.ca) {
      peer.address = card.address;
      return std::nullopt;
    }
    if (!same_key) {
      if (!how.compromised_since) {
        const auto end = now_ + static_cast<std::size_t>(how.overlap.count());
        Set(peer.accepted[peer.latest], end, false);
      }
      peer.given_up.insert(peer.latest);
    }
    Take(peer, agency, card, key, now_);
    return std::nullopt;
  }
  Suspension SuspensionOf(const policy::AgencyId& id) const {
    const auto known = book_.find(id);
    return {id, known == book_.end() ? policy::Instant() : known->second.changed_at};
  }
  // False: no other key was accepted since; then nothing changes.
  bool Cut(NaivePeer& peer, std::size_t sound, policy::Instant since) {
    const auto from = static_cast<std::size_t>(
        std::chrono::floor<std::chrono::seconds>(since).time_since_epoch().count());
    bool any = false;
    for (auto& [key, flags] : peer.accepted) {
      if (key == sound || std::find(flags.begin() + static_cast<std::ptrdiff_t>(from), flags.end(),
                                    true) == flags.end()) {
        continue;
      }
      Set(flags, from, false);
      peer.given_up.insert(key);
      any = true;
    }
    return any;
  }
  std::optional<ErrorCode> Change(NaivePeer& peer, NaivePeer::State from, NaivePeer::State to) {
    if (peer.state == NaivePeer::State::kNever) return ErrorCode::kNotFound;
    if (peer.state != from) return ErrorCode::kConflict;
    peer.state = to;
    return std::nullopt;
  }
  std::optional<ErrorCode> Remove(NaivePeer& peer) {
    if (peer.state == NaivePeer::State::kNever) return ErrorCode::kNotFound;
    if (peer.state == NaivePeer::State::kRemoved) return ErrorCode::kConflict;
    peer.state = NaivePeer::State::kRemoved;
    for (auto& [key, flags] : peer.accepted) Set(flags, now_, false);
    return std::nullopt;
  }

  // Takes over what the rules made, and compares how it ended.
  void Settle(const Result<Peer>& made, const std::optional<ErrorCode>& expected) {
    if (expected) {
      ASSERT_FALSE(made.has_value());
      ASSERT_EQ(made.error().code, *expected) << made.error().detail;
      return;
    }
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    book_[made->terms.agency] = *made;
  }
  void Step();
  void CompareAll();

  std::mt19937 random_;
  std::vector<sign::PublicKey> keys_, log_keys_;
  std::map<std::size_t, std::string> owner_;
  std::map<std::string, NaivePeer> naive_;
  PeerBook book_ = OwnBook(SampleTerms(kOwnAgency));
  std::size_t now_ = 1;
  std::map<std::string, int> done_;
};

void PeerWalk::Step() {
  const std::string agency = agencies_[Pick(agencies_.size())];
  NaivePeer& peer = naive_[agency];
  if (peer.sets + 1 >= kMaxKeysOfPeer) return;
  const policy::AgencyId id = AgencyOf(agency);
  const policy::Instant now = AtSecond(static_cast<std::int64_t>(now_));
  const std::size_t key = Pick(3) == 0 ? peer.latest : Pick(kKeys);
  const PeerTerms card = Card(agency, key, Pick(4));
  switch (Pick(7)) {
    case 0:
      return Settle(Enrolled(book_, card, now), Enrol(peer, agency, card, key));
    case 1:
    case 2: {
      Rekeying how;
      how.overlap = std::chrono::seconds(Pick(2) == 0 ? 0 : Pick(60));
      if (Pick(4) == 0) {
        how.overlap = std::chrono::seconds(0);
        how.compromised_since = AtSecond(static_cast<std::int64_t>(now_ - Pick(now_)));
      }
      const auto made = Rekeyed(book_, card, how, now);
      if (made) ++done_[how.compromised_since ? "compromise" : "rekey"];
      return Settle(made, Rekey(peer, agency, card, key, how));
    }
    case 3:
      return Settle(Suspended(book_, id, "why", now),
                    Change(peer, NaivePeer::State::kActive, NaivePeer::State::kSuspended));
    case 4:
      return Settle(Resumed(book_, SuspensionOf(id), now),
                    Change(peer, NaivePeer::State::kSuspended, NaivePeer::State::kActive));
    case 5:
      if (Pick(4) != 0) return;
      return Settle(Removed(book_, id, "why", now), Remove(peer));
    default:
      return;  // time passes
  }
}

void PeerWalk::CompareAll() {
  for (const auto& [agency, peer] : naive_) {
    const auto known = book_.find(AgencyOf(agency));
    if (known == book_.end()) {
      ASSERT_EQ(peer.state, NaivePeer::State::kNever);
      continue;
    }
    const policy::KeyHistory history = known->second.History();
    for (std::size_t probe = 0; probe < 8; ++probe) {
      const std::size_t second = Pick(kHorizon);
      const policy::Instant at = AtSecond(static_cast<std::int64_t>(second));
      const auto open = known->second.SigningKeysAt(at);
      for (const auto& [key, flags] : peer.accepted) {
        const bool speaks = std::ranges::find(open, keys_[key]) != open.end();
        ASSERT_EQ(speaks, flags[second]) << agency << " key " << key << " at " << second;
        ASSERT_EQ(history.Accepts(sign::EncodePublicKey(keys_[key]), at), flags[second]);
      }
    }
    const bool speaks_now =
        !known->second.SigningKeysAt(AtSecond(static_cast<std::int64_t>(now_))).empty();
    ASSERT_EQ(speaks_now, peer.state != NaivePeer::State::kRemoved);
  }
}

TEST_P(PeerWalk, EndsWhereTheNaiveModelDoes) {
  for (int step = 0; step < kSteps; ++step, ++now_) {
    Step();
    if (HasFatalFailure()) FAIL() << "walk " << GetParam() << ", step " << step;
    CompareAll();
    if (HasFatalFailure()) FAIL() << "walk " << GetParam() << ", step " << step;
  }
  EXPECT_GT(done_["rekey"], 5);  // the walk went somewhere
}

INSTANTIATE_TEST_SUITE_P(Seeds, PeerWalk, ::testing::Range(0, kWalks));

}  // namespace
}  // namespace comity::identity
