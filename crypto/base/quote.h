// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace comity {

// Text from outside in a form that may stand in an error or a log line: in single quotes, cut after
// `max_size` octets ("..." marks the cut), everything but printable ASCII as \xNN.
std::string Quote(std::string_view untrusted, std::size_t max_size = 80);

}  // namespace comity
