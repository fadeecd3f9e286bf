// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/fanout_measure.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <memory>
#include <thread>

#include "crypto/base/check.h"
#include "services/runtime/descriptor.h"
#include "services/runtime/guarded.h"
#include "tests/integration/stalled_holder.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::uint64_t kWarmUp = 5;

// A port that takes connections and never says a word.
class SilentPort {
 public:
  explicit SilentPort(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    COMITY_CHECK(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    COMITY_CHECK(::listen(socket_.get(), 64) == 0);
  }

 private:
  runtime::Descriptor socket_;
};

Latency Percentiles(std::vector<double> values) {
  COMITY_CHECK(!values.empty());
  std::ranges::sort(values);
  const auto at = [&](double part) {
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
  };
  return {at(0.5), at(0.99)};
}

// One stream: what each holder said to each face, and after how long.
struct Heard {
  std::vector<double> living_ms;
  std::vector<double> dead_ms;
  std::uint64_t answered = 0;
  std::uint64_t unanswered = 0;
};

Heard Stream(FanoutWorld& world, const std::string& deployment, const FanoutSettings& settings) {
  const auto engine = world.Watch(deployment);
  runtime::Guarded<std::map<std::uint64_t, steady_clock::time_point>> sent;
  const std::size_t living = settings.holders - kDeadHolders;
  Heard heard;
  std::jthread reader([&] {
    for (std::uint64_t i = 0; i < settings.faces * settings.holders; ++i) {
      const auto answer = engine->Receive();
      if (!answer) return;
      const auto at = sent.With([&](const auto& times) { return times.at(answer->sequence()); });
      const double ms = Milliseconds(steady_clock::now() - at).count();
      const bool alive = answer->holder() < fmt::format("holder-{:02}", living);
      // The first faces pay for opening the sessions.
      if (!alive) heard.dead_ms.push_back(ms);
      if (alive && answer->sequence() > kWarmUp) heard.living_ms.push_back(ms);
      if (alive && answer->has_answered()) ++heard.answered;
      if (!alive && answer->has_unanswered()) ++heard.unanswered;
    }
  });
  const std::vector<float> face = world.Stranger();
  for (std::uint64_t i = 1; i <= settings.faces; ++i) {
    sent.With([&](auto& times) { times[i] = steady_clock::now(); });
    COMITY_CHECK(engine->Send({i, fmt::format("capture-{}", i), "camera-1", face}));
    std::this_thread::sleep_for(settings.pause);
  }
  reader.join();
  engine->DoneSending();
  COMITY_CHECK(engine->Finish().has_value());
  return heard;
}

void IdentifyBeside(FanoutWorld& world, const FanoutSettings& settings, FanoutFigures& figures) {
  v1::IdentifyRequest request = world.Request(world.faces().front());
  for (std::size_t i = 0; i < settings.holders; ++i) {
    request.add_agreements(world.AgreementId(i));
  }
  request.set_deadline_ms(static_cast<std::uint32_t>(settings.deadline.count()));
  const auto began = steady_clock::now();
  const v1::IdentifyResponse response = world.Identify(request);
  figures.identify_ms = Milliseconds(steady_clock::now() - began).count();
  for (const v1::HolderResult& result : response.holders()) {
    const char* status = result.has_answered()  ? "answered"
                         : result.has_refused() ? "refused"
                                                : "unanswered";
    figures.identified.push_back({result.holder(), status, result.ms()});
  }
}

}  // namespace

FanoutFigures MeasureFanout(const FanoutSettings& settings) {
  COMITY_CHECK(settings.holders > kDeadHolders);
  const std::size_t living = settings.holders - kDeadHolders;
  FanoutWorld world(settings.holders);
  const std::string deployment = world.Deploy();
  FanoutFigures figures;
  figures.all_alive = Percentiles(Stream(world, deployment, settings).living_ms);
  for (std::size_t i = living; i < settings.holders; ++i) world.holder(i).Stop();
  const StalledHolder stalled(world.holder(living), world.council(), world.clock());
  const SilentPort silent(world.holder(living + 1).federation_port());
  const Heard heard = Stream(world, deployment, settings);
  figures.with_dead = Percentiles(heard.living_ms);
  figures.answered = heard.answered;
  figures.unanswered = heard.unanswered;
  figures.expected_answered = settings.faces * living;
  figures.expected_unanswered = settings.faces * kDeadHolders;
  figures.slowest_unanswered_ms = *std::ranges::max_element(heard.dead_ms);
  IdentifyBeside(world, settings, figures);
  return figures;
}

std::string ToJson(const FanoutFigures& figures) {
  const auto latency = [](const Latency& one) {
    return fmt::format(R"({{"p50_ms":{:.2f},"p99_ms":{:.2f}}})", one.p50_ms, one.p99_ms);
  };
  std::string holders;
  for (const auto& holder : figures.identified) {
    holders += fmt::format(R"({}{{"holder":"{}","status":"{}","ms":{}}})",
                           holders.empty() ? "" : ",", holder.agency, holder.status, holder.ms);
  }
  return fmt::format(R"({{"all_alive":{},"with_dead":{},"answered":{},"unanswered":{},)"
                     R"("slowest_unanswered_ms":{:.0f},"identify_ms":{:.0f},"fanout":[{}]}})",
                     latency(figures.all_alive), latency(figures.with_dead), figures.answered,
                     figures.unanswered, figures.slowest_unanswered_ms, figures.identify_ms,
                     holders);
}

}  // namespace comity::testing
