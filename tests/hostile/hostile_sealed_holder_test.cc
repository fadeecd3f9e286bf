// SPDX-License-Identifier: Apache-2.0
// What a requester's gateway does with a holder that has valid papers and lies in what it offers
// and in the copies that it gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "services/audit/events.h"
#include "services/runtime/guarded.h"
#include "tests/hostile/lying_holder_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using Chunks = AlteringHolder::Chunks;
using namespace std::chrono_literals;

TEST_F(HostileSealedHolder, OffersNothingThatIsTakenUnlessItIsInOrder) {
  struct Lie {
    std::string reason;
    std::function<void(v1::ListSealedReply&)> lists{};
    // Of a state or of a block; true: without end.
    std::function<bool(Chunks&)> state{};
    std::function<bool(Chunks&)> block{};
  };
  const auto octets = [](auto change) {
    return [change](Chunks& chunks) {
      change(*chunks.back().mutable_data());
      return false;
    };
  };
  const auto lies = std::make_shared<const std::vector<Lie>>(std::initializer_list<Lie>{
      {.reason = "more than 16 sealed lists are offered",
       .lists =
           [](auto& reply) {
             while (reply.lists_size() < 17) *reply.add_lists() = reply.lists(0);
           }},
      {.reason = "a digest has 32 octets",
       .lists = [](auto& reply) { reply.mutable_lists(0)->set_state("short"); }},
      {.reason = "an offer of a sealed list is out of bounds",
       .lists =
           [](auto& reply) {
             reply.mutable_lists(0)->set_sequence(0);
             reply.mutable_lists(0)->set_state(std::string(32, 'x'));
           }},
      {.reason = "an offer of a sealed list is out of bounds",
       .lists = [](auto& reply) { reply.mutable_lists(0)->set_header(std::string(9000, ' ')); }},
      {.reason = "the state of a sealed list is too large",
       .state =
           [](Chunks& chunks) {
             chunks.front().set_data(std::string(std::size_t{1} << 20, ' '));
             return true;
           }},
      {.reason = "sealed-list-not-fetched",  // not an envelope any more
       .state = octets([](std::string& data) { data += "}"; })},
      {.reason = "is not the block it must be",
       .block = octets([](std::string& data) { data.back() = static_cast<char>(~data.back()); })},
      {.reason = "a chunk has 1 octet to 1 MiB",
       .block = octets([](std::string& data) { data.clear(); })},
      {.reason = "a chunk has 1 octet to 1 MiB",
       .block = octets([](std::string& data) { data.assign((std::size_t{1} << 20) + 1, 'x'); })},
      {.reason = "more octets than the block has",
       .block = octets([](std::string& data) { data.assign(std::size_t{1} << 20, 'x'); })},
      {.reason = "octets of the block are missing",
       .block = octets([](std::string& data) { data.resize(data.size() / 2); })},
      {.reason = "more octets than the block has", .block = [](Chunks&) { return true; }},
  });
  // One after the other, each once. Shared: a call may be at it for a moment longer.
  const auto told = std::make_shared<runtime::Watched<std::size_t>>();
  const auto next = [lies, told](auto member) {
    std::remove_cvref_t<decltype(lies->front().*member)> lie;
    told->With([&](std::size_t& count) {
      if (count < lies->size() && lies->at(count).*member) lie = lies->at(count++).*member;
    });
    return lie;
  };
  holder_->Lie({.lists =
                    [next](v1::ListSealedReply& reply) {
                      if (reply.lists_size() == 0) return;
                      if (const auto lie = next(&Lie::lists)) lie(reply);
                    },
                .fetched =
                    [next](const v1::FetchSealedRequest& asked, Chunks& chunks) {
                      if (chunks.empty()) return false;
                      const auto lie = next(asked.state_sequence() > 0 ? &Lie::state : &Lie::block);
                      return lie && lie(chunks);
                    }});
  Begin();
  ExpectMiss(RandomTemplate(random_));
  EXPECT_EQ(told->With([](std::size_t count) { return count; }), lies->size());
  ExpectHit(entries_[2], "ref-2");
  EXPECT_EQ(ExportLog(council_).Count(audit::kSealedListReceived), 1U);
  engine_->Cancel();
  council_.Stop();
  std::vector<std::string> reasons;
  for (const Lie& lie : *lies) reasons.push_back(lie.reason);
  ExpectInOrder(LinesOf("sealed-list-not-fetched"), reasons);
}

TEST_F(HostileSealedHolder, BringsBackNoFormerState) {
  struct Kept {
    v1::ListSealedReply reply;
    Chunks state;
    bool is_old = false;
  };
  const auto kept = std::make_shared<runtime::Watched<Kept>>();
  holder_->Lie({.lists =
                    [kept](v1::ListSealedReply& reply) {
                      if (reply.lists_size() == 0) return;
                      kept->With([&](Kept& old) {
                        if (old.reply.lists_size() == 0) old.reply = reply;
                        if (old.is_old) *reply.mutable_lists() = old.reply.lists();
                      });
                    },
                .fetched =
                    [kept](const v1::FetchSealedRequest& asked, Chunks& chunks) {
                      if (asked.state_sequence() == 0) return false;
                      kept->With([&](Kept& old) {
                        if (old.state.empty()) old.state = chunks;
                        if (old.is_old) chunks = old.state;
                      });
                      return false;
                    }});
  Begin();
  ExpectHit(entries_[3], "ref-3");
  Withdraw("ref-3");
  ExpectMiss(entries_[3]);
  kept->With([](Kept& old) { old.is_old = true; });
  // The state that the council has is refused, and it asks for another one: the former is offered.
  Withdraw("ref-4");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(AskOnce(entries_[3]).answered().alerts_size(), 0) << "as if it were still listed";
    if (holder_->heard().fetches > 4) break;
    std::this_thread::sleep_for(50ms);
  }
  kept->With([](Kept& old) { old.is_old = false; });
  ExpectMiss(entries_[3]);
  ExpectMiss(entries_[4]);
  EXPECT_EQ(ExportLog(council_).Count(audit::kSealedListReceived), 3U);
  engine_->Cancel();
  council_.Stop();
  ExpectInOrder(LinesOf("sealed-list-not-fetched"),
                {"a later state of the sealed list is here already"});
}

}  // namespace
}  // namespace comity::testing
