// SPDX-License-Identifier: Apache-2.0
// What sealed search costs in accuracy on a folder of labelled templates (tests/demo/face_set.h):
// open-set TPIR and FPIR beside those of the exact float search at the same threshold.
//
//   sealed_accuracy FOLDER [RUNS]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "tests/accuracy/accuracy.h"

namespace comity::accuracy {
namespace {

int Print(const demo::FaceSet& faces, std::int32_t cos_min, int runs) {
  const auto profile = sealed::Profile::Create({.dimension = faces.dimension,
                                                .compared_bits = sealed::kComparedBits,
                                                .tau_min = 3000,
                                                .tau_max = 8000,
                                                .cos_min = cos_min});
  if (!profile) {
    std::fprintf(stderr, "sealed_accuracy: %s\n", profile.error().detail.c_str());
    return 2;
  }
  std::vector<std::int32_t> taus;
  for (std::int32_t tau = 3000; tau <= 8000; tau += 500) taus.push_back(tau);
  SystemRandom random;
  const auto rows = Evaluate(faces, *profile, taus, runs, sealed::FastestKernel(), random);
  std::printf("cos_min %.4f, delta %u, %d runs, %zu entries, %zu mated, %zu non-mated faces\n",
              cos_min * 1e-4, profile->delta(), runs, faces.enrolled.size(), faces.mated.size(),
              faces.non_mated.size());
  std::printf("%9s %10s %10s %20s %8s   %10s %20s\n", "threshold", "TPIR exact", "dithered",
              "TPIR sealed, 95 %", "loss", "FPIR exact", "FPIR sealed, 95 %");
  bool within = true;
  for (const Row& row : rows) {
    std::printf(
        "%9.2f %8.2f %% %8.2f %% %8.2f %% +- %4.2f %% %+6.2f %%   %8.2f %% %8.2f %% +- %4.2f "
        "%%%s\n",
        row.tau * 1e-4, 100 * row.exact.tpir, 100 * row.dithered.tpir, 100 * row.tpir.value,
        100 * row.tpir.half_width, 100 * row.tpir_loss(), 100 * row.exact.fpir,
        100 * row.fpir.value, 100 * row.fpir.half_width, row.within() ? "" : "  MISSED");
    within = within && row.within();
  }
  return within ? 0 : 1;
}

}  // namespace
}  // namespace comity::accuracy

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: sealed_accuracy FOLDER [RUNS]\n", stderr);
    return 2;
  }
  const int runs = argc == 3 ? std::atoi(argv[2]) : 20;
  if (runs < 2 || runs > 60) {
    std::fputs("sealed_accuracy: RUNS is 2 to 60\n", stderr);
    return 2;
  }
  const auto faces = comity::demo::LoadFaceSet(argv[1], 0);
  if (!faces) {
    std::fprintf(stderr, "sealed_accuracy: %s\n", faces.error().detail.c_str());
    return 2;
  }
  const int wide = comity::accuracy::Print(*faces, -10000, runs);
  const int narrow = comity::accuracy::Print(*faces, -6500, runs);
  return wide > narrow ? wide : narrow;
}
