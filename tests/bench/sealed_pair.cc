// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/sealed_pair.h"

#include <fmt/format.h>

#include <thread>
#include <utility>

#include "crypto/base/check.h"

namespace comity::bench {

SealedPair::SealedPair(const SealedTerms& terms) {
  agencies_ = std::make_unique<testing::TwoAgencies>(
      terms.dimension,
      [&](testing::AgreementText& text, testing::LiveAgency& police, testing::LiveAgency&) {
        text.mode = "sealed";
        police.Configure(fmt::format("[sealed]\nanswer_after = {}\n", terms.answer_after.count()));
        if (!terms.line) return;
        auto proxy =
            testing::DelayProxy::Start({police.federation_port(), *terms.line, *terms.line});
        COMITY_CHECK(proxy.has_value());
        proxy_ = *std::move(proxy);
        police.ReachedAt(proxy_->port());
      });
}

SealedCamera::SealedCamera(const testing::EngineSettings& engine, const std::string& deployment) {
  auto opened = testing::EngineClient::Open(engine, deployment, clock_);
  if (!opened) fmt::print(stderr, "{}\n", opened.error().detail);
  COMITY_CHECK(opened.has_value());
  engine_ = *std::move(opened);
}

void SealedCamera::Send(const Template& face) {
  ++sequence_;
  COMITY_CHECK(engine_->Send({sequence_, fmt::format("c-{}", sequence_), "camera-1", face}));
}

void SealedCamera::Receive(int alerts) {
  const auto answer = engine_->Receive();
  COMITY_CHECK(answer.has_value());
  const bool as_expected = answer->has_answered() && answer->answered().alerts_size() == alerts &&
                           answer->answered().mode() == v1::SEARCH_MODE_SEALED;
  if (!as_expected) fmt::print(stderr, "{}\n", answer->DebugString());
  COMITY_CHECK(as_expected);
}

bool SealedCamera::TryAsk(const Template& face) {
  Send(face);
  const auto answer = engine_->Receive();
  COMITY_CHECK(answer.has_value());
  return answer->has_answered();
}

void SealedCamera::AwaitSearched(const Template& face, const std::function<void()>& waiting) {
  while (!TryAsk(face)) {
    waiting();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace comity::bench
