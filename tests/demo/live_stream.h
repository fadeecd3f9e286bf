// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "tests/demo/agency.h"
#include "tests/demo/face_set.h"
#include "tests/demo/report.h"

namespace comity::demo {

// The name of an enrolled identity's entry.
std::string ReferenceOf(std::uint32_t identity);

// Streams every mated and non-mated face through the requester's engine, at most eight unanswered
// at a time, and fills in what the report says of them.
Status StreamFaces(const Agency& requester, const std::string& deployment, const FaceSet& faces,
                   const runtime::Clock& clock, Report& report);

}  // namespace comity::demo
