// SPDX-License-Identifier: Apache-2.0
#include "services/measure/sealed_sample.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "crypto/sealed/seal.h"
#include "services/measure/stopwatch.h"

namespace comity::measure {
namespace {

constexpr double kTauUnits = 1e4;

Result<sealed::ListHeader> SampleHeader(std::size_t dimension, RandomSource& random) {
  sealed::ListHeader header{.holder = "sample-holder",
                            .requester = "sample-requester",
                            .agreement = "sample",
                            .agreement_version = 1,
                            .agreement_sha256 = {},
                            .purpose = "sample",
                            .list = "sample",
                            .epoch = 1,
                            .engine_name = "synthetic",
                            .engine_version = "1",
                            .scales = {},
                            .delta = 0,
                            .public_seed = {},
                            .sealed_at = 1,
                            .valid_until = 2};
  header.scales = {.dimension = static_cast<std::uint32_t>(dimension),
                   .compared_bits = sealed::kComparedBits,
                   .tau_min = SampleTau(),
                   .tau_max = SampleTau() + 2000,
                   .cos_min = -10000};  // no cosine wraps around
  COMITY_ASSIGN_OR_RETURN(const auto profile, sealed::Profile::Create(header.scales));
  header.delta = profile.delta();
  random.Fill(header.public_seed);
  return header;
}

}  // namespace

std::int32_t SampleTau() {
  return static_cast<std::int32_t>(std::lround(SyntheticFaces::kThreshold * kTauUnits));
}

Result<SealedSample> SealSample(const SyntheticFaces& faces, RandomSource& random,
                                const Progress& progress) {
  COMITY_ASSIGN_OR_RETURN(const auto header, SampleHeader(faces.dimension(), random));
  COMITY_ASSIGN_OR_RETURN(const auto profile, sealed::Profile::Create(header.scales));
  Samples times;
  COMITY_ASSIGN_OR_RETURN(const auto matrix, times.Time([&] {
    return sealed::SealingMatrix::Expand(header.public_seed, faces.dimension());
  }));
  sealed::ListState state{
      .header = sealed::HeaderDigest(header), .sequence = 1, .blocks = {}, .withdrawn = {}};
  sealed::ListView::Blocks blocks;
  sealed::EpochView::Secrets secrets;
  SealedSample sample;
  for (std::size_t first = 0; first < faces.entry_count(); first += sealed::kRingDegree) {
    const std::size_t count = std::min(sealed::kRingDegree, faces.entry_count() - first);
    const sealed::BlockIdentity identity{.header = state.header,
                                         .number = static_cast<std::uint32_t>(blocks.size())};
    COMITY_ASSIGN_OR_RETURN(auto sealed, times.Time([&] {
      return sealed::Seal(profile, matrix, identity, faces.templates(first, count), random);
    }));
    COMITY_ASSIGN_OR_RETURN(auto secret, sealed::BlockSecret::Derive(identity, sealed.root));
    state.blocks.push_back({.number = identity.number,
                            .count = sealed.root.count,
                            .hash = sealed::BlockHash(state.header, sealed.block)});
    sample.sealed_octets += sealed::EncodedBlockBytes(count, faces.dimension());
    blocks.push_back(sealed::ListView::MakeBlock(std::move(sealed.block)));
    secrets.push_back(std::make_shared<const sealed::BlockSecret>(std::move(secret)));
    progress(first + count, faces.entry_count());
  }
  sample.seal_seconds = times.Sum();
  COMITY_ASSIGN_OR_RETURN(sample.holder,
                          sealed::EpochView::Create(header, state, std::move(secrets)));
  COMITY_ASSIGN_OR_RETURN(sample.requester, sealed::ListView::Create(header, std::move(state),
                                                                     std::move(blocks), nullptr));
  return sample;
}

}  // namespace comity::measure
