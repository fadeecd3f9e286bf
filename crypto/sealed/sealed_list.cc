// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/sealed_list.h"

#include <algorithm>
#include <string_view>
#include <type_traits>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"

namespace comity::sealed {
namespace {

constexpr std::string_view kHeaderMagic = "CSLH\x01";  // the last octet is the version
constexpr std::string_view kStateMagic = "CSLS\x01";

tl::unexpected<Error> Malformed(const char* detail) {
  return Fail(ErrorCode::kInvalidArgument, detail);
}

class Writer {
 public:
  void Raw(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void Text(std::string_view text) {
    COMITY_CHECK(text.size() <= kMaxListTextBytes);
    bytes_.push_back(static_cast<std::uint8_t>(text.size()));
    Raw(AsBytes(text));
  }
  void Word(std::uint32_t value) { Raw(LittleEndian<4>(value)); }
  void Long(std::uint64_t value) { Raw(LittleEndian<8>(value)); }
  Bytes Take() && { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// After the first item that is not there every other one is empty, and `ok` tells.
class Reader {
 public:
  explicit Reader(ByteView bytes) : left_(bytes) {}

  ByteView Raw(std::size_t size) {
    if (size > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const ByteView item = left_.first(size);
    left_ = left_.subspan(size);
    return item;
  }
  template <std::size_t kSize>
  void Raw(std::array<std::uint8_t, kSize>& out) {
    std::ranges::copy(Raw(kSize), out.begin());
  }
  std::string Text() {
    const ByteView length = Raw(1);
    return length.empty() ? std::string() : std::string(AsText(Raw(length[0])));
  }
  std::uint32_t Word() { return static_cast<std::uint32_t>(Integer<4>()); }
  std::uint64_t Long() { return Integer<8>(); }

  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }

 private:
  template <std::size_t kWidth>
  std::uint64_t Integer() {
    const ByteView item = Raw(kWidth);
    return item.empty() ? 0 : ReadLittleEndian<kWidth>(item);
  }

  ByteView left_;
  bool ok_ = true;
};

bool IsText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxListTextBytes &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

Status CheckBlocks(const std::vector<ListedBlock>& blocks) {
  if (blocks.empty() || blocks.size() > kMaxBlocks) {
    return Malformed("a sealed list of no or too many blocks");
  }
  std::uint32_t next = 0;
  for (const ListedBlock& block : blocks) {
    if (block.number < next || block.number >= kMaxBlocks || block.count < 1 ||
        block.count > kRingDegree || block.number * kRingDegree + block.count > kMaxSlotNumber) {
      return Malformed("a listed block out of order or range");
    }
    next = block.number + 1;
  }
  return {};
}

// In: blocks  that pass CheckBlocks
Status CheckWithdrawn(const std::vector<ListedBlock>& blocks,
                      const std::vector<std::uint32_t>& withdrawn) {
  auto block = blocks.begin();
  std::uint32_t next = 1;
  for (const std::uint32_t number : withdrawn) {
    if (number < next || number > kMaxSlotNumber) return Malformed("a tombstone out of order");
    next = number + 1;
    while (block != blocks.end() && block->number < SlotSet::BlockOf(number)) ++block;
    if (block == blocks.end() || block->number != SlotSet::BlockOf(number) ||
        (number - 1) % kRingDegree >= block->count) {
      return Malformed("a withdrawn slot that is not filled");
    }
  }
  return {};
}

void WriteScales(Writer& writer, const Scales& scales) {
  writer.Word(scales.dimension);
  writer.Word(scales.compared_bits);
  writer.Word(static_cast<std::uint32_t>(scales.tau_min));
  writer.Word(static_cast<std::uint32_t>(scales.tau_max));
  writer.Word(static_cast<std::uint32_t>(scales.cos_min));
}

Scales ReadScales(Reader& reader) {
  Scales scales;
  scales.dimension = reader.Word();
  scales.compared_bits = reader.Word();
  scales.tau_min = static_cast<std::int32_t>(reader.Word());
  scales.tau_max = static_cast<std::int32_t>(reader.Word());
  scales.cos_min = static_cast<std::int32_t>(reader.Word());
  return scales;
}

bool HasMagic(Reader& reader, std::string_view magic) {
  return std::ranges::equal(reader.Raw(magic.size()), AsBytes(magic));
}

}  // namespace

Status CheckListHeader(const ListHeader& header) {
  for (const std::string* text :
       {&header.holder, &header.requester, &header.agreement, &header.purpose, &header.list,
        &header.engine_name, &header.engine_version}) {
    if (!IsText(*text)) return Malformed("a text of a sealed list's header is out of range");
  }
  if (header.agreement_version < 1 || header.epoch < 1) {
    return Malformed("versions and epochs count from 1");
  }
  if (header.sealed_at < 0 || header.valid_until <= header.sealed_at) {
    return Malformed("the times of a sealed list are not ordered");
  }
  COMITY_RETURN_IF_ERROR(Profile::FromHeader(header.scales, header.delta));
  return {};
}

Status CheckListState(const ListState& state) {
  if (state.sequence < 1) return Malformed("states count from 1");
  COMITY_RETURN_IF_ERROR(CheckBlocks(state.blocks));
  return CheckWithdrawn(state.blocks, state.withdrawn);
}

Bytes EncodeListHeader(const ListHeader& header) {
  Writer writer;
  writer.Raw(AsBytes(kHeaderMagic));
  writer.Text(header.holder);
  writer.Text(header.requester);
  writer.Text(header.agreement);
  writer.Word(header.agreement_version);
  writer.Raw(header.agreement_sha256.view());
  writer.Text(header.purpose);
  writer.Text(header.list);
  writer.Long(header.epoch);
  writer.Text(header.engine_name);
  writer.Text(header.engine_version);
  WriteScales(writer, header.scales);
  writer.Word(header.delta);
  writer.Raw(header.public_seed);
  writer.Long(static_cast<std::uint64_t>(header.sealed_at));
  writer.Long(static_cast<std::uint64_t>(header.valid_until));
  return std::move(writer).Take();
}

Bytes EncodeListState(const ListState& state) {
  Writer writer;
  writer.Raw(AsBytes(kStateMagic));
  writer.Raw(state.header.view());
  writer.Long(state.sequence);
  writer.Word(static_cast<std::uint32_t>(state.blocks.size()));
  for (const ListedBlock& block : state.blocks) {
    writer.Word(block.number);
    writer.Word(block.count);
    writer.Raw(block.hash.view());
  }
  writer.Word(static_cast<std::uint32_t>(state.withdrawn.size()));
  for (const std::uint32_t number : state.withdrawn) writer.Word(number);
  return std::move(writer).Take();
}

Result<ListHeader> ParseListHeader(ByteView bytes) {
  if (bytes.size() > kMaxHeaderBytes) return Malformed("a sealed list's header is too long");
  Reader reader(bytes);
  if (!HasMagic(reader, kHeaderMagic)) return Malformed("no header of a sealed list");
  ListHeader header;
  header.holder = reader.Text();
  header.requester = reader.Text();
  header.agreement = reader.Text();
  header.agreement_version = reader.Word();
  reader.Raw(header.agreement_sha256.bytes);
  header.purpose = reader.Text();
  header.list = reader.Text();
  header.epoch = reader.Long();
  header.engine_name = reader.Text();
  header.engine_version = reader.Text();
  header.scales = ReadScales(reader);
  header.delta = reader.Word();
  reader.Raw(header.public_seed);
  header.sealed_at = static_cast<std::int64_t>(reader.Long());
  header.valid_until = static_cast<std::int64_t>(reader.Long());
  if (!reader.ok() || reader.left() != 0) {
    return Malformed("a sealed list's header of the wrong length");
  }
  COMITY_RETURN_IF_ERROR(CheckListHeader(header));
  return header;
}

Result<ListState> ParseListState(ByteView bytes) {
  if (bytes.size() > kMaxStateBytes) return Malformed("a sealed list's state is too long");
  Reader reader(bytes);
  if (!HasMagic(reader, kStateMagic)) return Malformed("no state of a sealed list");
  ListState state;
  reader.Raw(state.header.bytes);
  state.sequence = reader.Long();
  constexpr std::size_t kListedBytes = 8 + Digest::kSize;
  const std::size_t blocks = reader.Word();
  if (blocks > reader.left() / kListedBytes)
    return Malformed("a state with fewer blocks than said");
  state.blocks.resize(blocks);
  for (ListedBlock& block : state.blocks) {
    block.number = reader.Word();
    block.count = reader.Word();
    reader.Raw(block.hash.bytes);
  }
  const std::size_t withdrawn = reader.Word();
  if (!reader.ok() || withdrawn > kMaxSlotNumber || 4 * withdrawn != reader.left()) {
    return Malformed("a sealed list's state of the wrong length");
  }
  state.withdrawn.resize(withdrawn);
  for (std::uint32_t& number : state.withdrawn) number = reader.Word();
  COMITY_RETURN_IF_ERROR(CheckListState(state));
  return state;
}

Digest HeaderDigest(const ListHeader& header) {
  return hash::Blake2b256({AsBytes("comity/sealed-v1/header"), EncodeListHeader(header)});
}

Digest StateDigest(const ListState& state) {
  return hash::Blake2b256({AsBytes("comity/sealed-v1/state"), EncodeListState(state)});
}

Result<SlotSet> SlotsOf(const ListState& state) {
  std::vector<std::uint32_t> filled;
  for (const ListedBlock& block : state.blocks) {
    if (block.number >= kMaxBlocks) return Malformed("a listed block out of range");
    filled.resize(std::max<std::size_t>(filled.size(), block.number + std::size_t{1}));
    filled[block.number] = block.count;
  }
  return SlotSet::Create(filled, state.withdrawn);
}

}  // namespace comity::sealed
