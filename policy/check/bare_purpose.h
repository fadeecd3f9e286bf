// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace comity::policy {

// True for a purpose code or label that names no purpose: "law enforcement", "Policing purposes",
// "any". Case, spaces and punctuation make no difference.
// Source: domain requirement PU-1; DPA 2018 s.36(1) ("specified, explicit and legitimate")
bool IsBarePurpose(std::string_view text);

}  // namespace comity::policy
