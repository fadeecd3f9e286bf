// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace comity::cli {

// The areas of swap that a machine uses and that are on a disk without encryption, as the system
// names them: what is in a program's memory can be read there later. Neither memory that is only
// compressed (zram) nor a volume of dm-crypt is among them. A file of swap is: what it lies on is
// not looked at.
//
// In: swaps        text of /proc/swaps
//     block_folder /sys/class/block
std::vector<std::string> UnencryptedSwap(std::string_view swaps,
                                         const std::filesystem::path& block_folder);

}  // namespace comity::cli
