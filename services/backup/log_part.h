// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::backup {

// The files of an exported log as one stream: for each its path, its size, and its octets.
std::string EncodeLogFileHead(std::string_view path, std::size_t size);

// Takes the stream apart again, in pieces of any length.
//
// Threads: thread-compatible.
class LogPartReader {
 public:
  using FileSink = std::function<Status(const std::string& path, ByteView content)>;
  // In: sink  gets each file once it is whole; its path is one of an export's layout
  explicit LogPartReader(FileSink sink) : sink_(std::move(sink)) {}
  // Errors: kCorrupt  not such a stream; those of the sink
  Status Feed(ByteView octets);
  Status Finish() const;  // Errors: kCorrupt  it ends inside a file

 private:
  Status ReadHead();

  const FileSink sink_;
  std::string head_;  // of the next file, as far as it came
  std::string path_;  // of the file under way; empty: a head comes
  std::size_t size_ = 0;
  Bytes content_;
};

}  // namespace comity::backup
