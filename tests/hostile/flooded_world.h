// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "services/transport/tls_policy.h"
#include "tests/hostile/raw_connection.h"
#include "tests/integration/direct_search_world.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {

// The council searches at the police all the time, over one connection from 127.0.0.1. Somebody
// else attacks the police's ports, from other addresses: an outsider, or `port_authority_`, which
// is enrolled and has valid papers.
class FloodedWorld : public DirectSearchWorld {
 protected:
  // Of a search, which takes a few milliseconds undisturbed and its whole deadline of 5 s where a
  // flood takes the threads that serve it. Between the two, since a sanitizer build beside other
  // tests takes some hundred; what was measured is printed.
  static constexpr std::chrono::milliseconds kP99{2000};
  static void SetUpTestSuite() { ASSERT_THAT(transport::EnforceTls13(), IsOk()); }

  void SetUp() override {
    DirectSearchWorld::SetUp();
    text_.probes_per_day = 1'000'000;
    Agree();
    ImportEntries(10);
    engine_ = Watch();
    Ask(*engine_, ++sequence_, entries_[1]);
  }
  void TearDown() override {
    if (engine_) engine_->Cancel();
    engine_.reset();
  }
  std::vector<const LiveAgency*> further_partners() const override { return {&port_authority_}; }

  TlsWishes Papers(const LiveAgency& agency) const {
    TlsWishes wishes;
    wishes.identity = agency.pki() / "gateway.pem";
    return wishes;
  }
  std::uint16_t port() const { return police_.federation_port(); }
  // Within a few seconds: what the gateway says to a handshake is known by then.
  bool GetsIn(const LiveAgency& agency, const std::string& from) const {
    RawTls tls(port(), Papers(agency), from);
    return tls.is_done() && tls.Send(Http2Preface()) &&
           !tls.IsClosedWithin(std::chrono::milliseconds(300));
  }
  // Faces that the council searches until `attack` returns, at least 200: the 99th of each 100
  // in the order of the time they took.
  std::chrono::milliseconds P99During(const std::function<void()>& attack) {
    std::atomic<bool> over{false};
    std::jthread attacker([&] {
      attack();
      over = true;
    });
    std::vector<std::chrono::milliseconds> times;
    while (!over || times.size() < 200) {
      const auto begin = std::chrono::steady_clock::now();
      const auto answer = Ask(*engine_, ++sequence_, RandomTemplate(random_));
      times.push_back(
          std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));
      // Late once is what the machine's other work may do; the 99th tells.
      const bool is_late = answer.unanswered().reason() == v1::Unanswered::REASON_DEADLINE;
      EXPECT_TRUE(answer.has_answered() || is_late) << answer.DebugString();
      if (::testing::Test::HasFailure()) break;
    }
    std::ranges::sort(times);
    const auto p99 = times[times.size() * 99 / 100];
    RecordProperty("faces", static_cast<int>(times.size()));
    RecordProperty("p99_ms", static_cast<int>(p99.count()));
    std::printf("%zu faces, p50 %lld ms, p99 %lld ms, longest %lld ms\n", times.size(),
                static_cast<long long>(times[times.size() / 2].count()),
                static_cast<long long>(p99.count()), static_cast<long long>(times.back().count()));
    return p99;
  }
  static int CountIn(const std::string& text, const std::string& what) {
    int count = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
  }
  int LogLines(const std::string& event) const {
    return CountIn(police_.log_text(), "\"event\":\"" + event + "\"");
  }

  LiveAgency port_authority_{"westmoor-port-authority"};
  std::unique_ptr<EngineClient> engine_;
  std::uint64_t sequence_ = 0;
};

}  // namespace comity::testing
