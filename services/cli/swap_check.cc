// SPDX-License-Identifier: Apache-2.0
#include "services/cli/swap_check.h"

#include <fstream>
#include <sstream>
#include <system_error>

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

// The kernel's name of the device behind a path such as /dev/mapper/swap.
std::string DeviceName(const std::string& path) {
  std::error_code fault;
  const fs::path real = fs::canonical(path, fault);
  return (fault ? fs::path(path) : real).filename().string();
}

bool StaysSecret(const std::string& device, const fs::path& block_folder) {
  if (device.starts_with("zram")) return true;
  std::ifstream file(block_folder / device / "dm" / "uuid");
  std::string uuid;
  std::getline(file, uuid);
  return uuid.starts_with("CRYPT-");
}

}  // namespace

std::vector<std::string> UnencryptedSwap(std::string_view swaps, const fs::path& block_folder) {
  std::vector<std::string> open;
  std::istringstream lines{std::string(swaps)};
  std::string line;
  std::getline(lines, line);  // the head of the table
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string path;
    std::string type;
    if (!(words >> path >> type)) continue;
    if (type != "partition" || !StaysSecret(DeviceName(path), block_folder)) open.push_back(path);
  }
  return open;
}

}  // namespace comity::cli
