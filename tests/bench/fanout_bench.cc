// SPDX-License-Identifier: Apache-2.0
// A live stream and a single search over twenty real gateways on loopback, five of them dead:
// latency of the living with and without the dead, and who answered the search. Prints JSON.
// `fanout_bench [FACES]`.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "services/transport/tls_policy.h"
#include "tests/integration/fanout_measure.h"

int main(int argc, char** argv) {
  using namespace comity;
  if (!transport::EnforceTls13()) return EXIT_FAILURE;
  testing::FanoutSettings settings;
  settings.faces = 500;
  if (argc > 1) {
    const std::string_view text(argv[1]);
    const auto [end, fault] =
        std::from_chars(text.data(), text.data() + text.size(), settings.faces);
    if (fault != std::errc() || end != text.data() + text.size() || settings.faces == 0) {
      fmt::print(stderr, "usage: fanout_bench [FACES]\n");
      return EXIT_FAILURE;
    }
  }
  fmt::print("{}\n", testing::ToJson(testing::MeasureFanout(settings)));
  return EXIT_SUCCESS;
}
