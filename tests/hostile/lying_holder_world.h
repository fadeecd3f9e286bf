// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/hostile/altering_holder.h"
#include "tests/integration/direct_search_world.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {

// A council that searches the police's sealed lists, and police that lie as the test says.
class HostileSealedHolder : public DirectSearchWorld {
 protected:
  void SetUp() override {
    police_.Configure("[sealed]\nanswer_after = 0\n");
    const std::uint16_t port = FreePort();
    police_.ReachedAt(port);
    holder_ = std::make_unique<AlteringHolder>(police_, council_, clock_, port);
    DirectSearchWorld::SetUp();
    text_.mode = "sealed";
    Agree();
  }
  void TearDown() override {
    if (engine_) engine_->Cancel();
    engine_.reset();
    council_.Stop();
  }
  void Begin() {
    ImportEntries(10);
    engine_ = Watch();
    ASSERT_NE(engine_, nullptr);
  }
  v1::WatchAnswer AskOnce(const Template& face, const std::string& track = {}) {
    const std::uint64_t sequence = ++sequence_;
    EXPECT_TRUE(
        engine_->Send({sequence, "capture-" + std::to_string(sequence), "camera-1", face, track}));
    auto answer = engine_->Receive();
    EXPECT_THAT(answer, IsOk());
    return answer ? *answer : v1::WatchAnswer();
  }
  // A camera sees a person again and again.
  v1::WatchAnswer AskUntil(const Template& face,
                           const std::function<bool(const v1::WatchAnswer&)>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (true) {
      v1::WatchAnswer answer = AskOnce(face);
      if (holds(answer) || std::chrono::steady_clock::now() > end) return answer;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  v1::WatchAnswer AskUntilSearched(const Template& face) {
    return AskUntil(face, [](const v1::WatchAnswer& answer) { return answer.has_answered(); });
  }
  void ExpectHit(const Template& face, const std::string& reference) {
    const v1::WatchAnswer answer = AskUntilSearched(face);
    ASSERT_EQ(answer.answered().alerts_size(), 1) << answer.DebugString();
    EXPECT_EQ(answer.answered().alerts(0).hit().reference(), reference);
  }
  void ExpectMiss(const Template& face) {
    const v1::WatchAnswer answer = AskUntilSearched(face);
    EXPECT_TRUE(answer.has_answered()) << answer.DebugString();
    EXPECT_EQ(answer.answered().alerts_size(), 0);
  }
  void Withdraw(const std::string& reference) {
    v1::WithdrawEntryRequest request;
    v1::WithdrawEntryResponse response;
    grpc::ClientContext context;
    request.set_watchlist("lantern");
    request.set_reference(reference);
    request.set_reason("found");
    ASSERT_TRUE(police_.watchlists()->Withdraw(&context, request, &response).ok());
  }
  std::size_t Alarms(const std::string& person) {
    grpc::ClientContext context;
    v1::ListNoticesRequest request;
    v1::ListNoticesResponse response;
    request.set_all(true);
    EXPECT_TRUE(council_.notices(person)->List(&context, request, &response).ok());
    return static_cast<std::size_t>(
        std::ranges::count(response.notices(), "alarm", &v1::Notice::kind));
  }
  // Lines of this event in the council's program log; its gateway must not run.
  std::vector<std::string> LinesOf(const std::string& event) const {
    std::vector<std::string> lines;
    std::istringstream log(council_.log_text());
    for (std::string line; std::getline(log, line);) {
      if (line.find(event) != std::string::npos) lines.push_back(line);
    }
    return lines;
  }
  // Each is the reason of a line behind that of the one before it.
  static void ExpectInOrder(const std::vector<std::string>& lines,
                            const std::vector<std::string>& reasons) {
    auto line = lines.begin();
    for (const std::string& reason : reasons) {
      line = std::find_if(line, lines.end(), [&](const std::string& text) {
        return text.find(reason) != std::string::npos;
      });
      ASSERT_NE(line, lines.end()) << reason << "\nis not where it should be in\n"
                                   << ::testing::PrintToString(lines);
      ++line;
    }
  }

  std::unique_ptr<AlteringHolder> holder_;
  std::unique_ptr<EngineClient> engine_;
  std::uint64_t sequence_ = 0;
};

}  // namespace comity::testing
