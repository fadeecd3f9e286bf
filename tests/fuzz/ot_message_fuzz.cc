// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/pads.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/ot/softspoken.h"
#include "tests/fuzz/altered_message.h"
#include "tests/unit/crypto/ot/ot_session.h"

namespace comity::ot {
namespace {

using comity::testing::AlteredMessage;
using comity::testing::DealBaseKeys;
using comity::testing::OpenOtSession;
using comity::testing::SeededRandom;

constexpr std::size_t kOts = 128;

void TryOffer(ByteView input) {
  SeededRandom random(1);
  const BaseOtSender sender({}, random);
  static_cast<void>(BaseOtReceiver::Answer({}, AlteredMessage(sender.offer(), input), random));
}

void TryAnswer(ByteView input) {
  SeededRandom random(1);
  BaseOtSender sender({}, random);
  static const Bytes honest = BaseOtReceiver::Answer({}, sender.offer(), random)->answer();
  static_cast<void>(std::move(sender).Finish(AlteredMessage(honest, input)));
}

void TryTrees(ByteView input) {
  auto dealt = DealBaseKeys(1);
  SeededRandom random(2);
  const FullTrees full = MakeTrees({}, dealt.sender, random);
  static_cast<void>(OpenTrees({}, dealt.receiver, AlteredMessage(full.message, input)));
}

// A batch that is not accepted ends the source, and none of its rows come out.
void TryBatch(ByteView input, Kernel kernel) {
  auto session = OpenOtSession(1, kernel, kernel);
  const Bytes honest = session.holder.Begin(kOts).value();
  COMITY_CHECK(session.requester.Begin(kOts).has_value());
  const Bytes message = AlteredMessage(honest, input);
  const bool accepted = session.requester.Receive(message).has_value();
  COMITY_CHECK(accepted || message != honest);
  RequesterRows rows;
  COMITY_CHECK(session.requester.Read(rows).has_value() == accepted);
  if (!accepted) COMITY_CHECK(!session.requester.Begin(kOts));
}

}  // namespace
}  // namespace comity::ot

// The first octet chooses the message that a cheating peer has altered; the rest says how
// (altered_message.h).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      ot::TryOffer(rest);
      break;
    case 1:
      ot::TryAnswer(rest);
      break;
    case 2:
      ot::TryTrees(rest);
      break;
    case 3:
      ot::TryBatch(rest, ot::Kernel::kPortable);
      break;
    default:
      ot::TryBatch(rest, ot::FastestKernel());
  }
  return 0;
}
