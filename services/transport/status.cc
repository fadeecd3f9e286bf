// SPDX-License-Identifier: Apache-2.0
#include "services/transport/status.h"

#include <cstddef>
#include <string>

namespace comity::transport {
namespace {

constexpr std::size_t kMaxLocalDetail = 2048;  // gRPC percent-encodes it into 8 KiB of metadata
constexpr std::size_t kMaxPeerText = 200;
constexpr std::size_t kMaxLocalText = 4096;

struct WireForm {
  grpc::StatusCode code;
  const char* text;
};

WireForm ToWire(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return {grpc::StatusCode::INVALID_ARGUMENT, "the request is malformed"};
    case ErrorCode::kUnauthenticated:
      return {grpc::StatusCode::UNAUTHENTICATED, "the caller could not be established"};
    case ErrorCode::kPermissionDenied:
      return {grpc::StatusCode::PERMISSION_DENIED, "the caller may not do this"};
    case ErrorCode::kNotFound:
      return {grpc::StatusCode::NOT_FOUND, "there is no such thing"};
    case ErrorCode::kConflict:
      return {grpc::StatusCode::FAILED_PRECONDITION, "the present state does not allow this"};
    case ErrorCode::kExhausted:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "a limit is reached; try later or with less"};
    case ErrorCode::kUnavailable:
      return {grpc::StatusCode::UNAVAILABLE, "not available at the moment"};
    case ErrorCode::kCorrupt:
      return {grpc::StatusCode::DATA_LOSS, "a signature, proof or stored value is not valid"};
    case ErrorCode::kInternal:
      return {grpc::StatusCode::INTERNAL, "a fault of this gateway"};
  }
  return {grpc::StatusCode::INTERNAL, "a fault of this gateway"};
}

ErrorCode FromWire(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNIMPLEMENTED:  // the other side is older: repeating will not help
      return ErrorCode::kInvalidArgument;
    case grpc::StatusCode::UNAUTHENTICATED:
      return ErrorCode::kUnauthenticated;
    case grpc::StatusCode::PERMISSION_DENIED:
      return ErrorCode::kPermissionDenied;
    case grpc::StatusCode::NOT_FOUND:
      return ErrorCode::kNotFound;
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::ABORTED:
      return ErrorCode::kConflict;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorCode::kExhausted;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return ErrorCode::kUnavailable;
    case grpc::StatusCode::DATA_LOSS:
      return ErrorCode::kCorrupt;
    case grpc::StatusCode::OK:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::DO_NOT_USE:
      return ErrorCode::kInternal;
  }
  return ErrorCode::kInternal;  // a number that gRPC does not know
}

// Printable ASCII stays; everything else becomes \xNN, so that a peer can forge no line and no
// terminal sequence.
std::string Escape(std::string_view text, std::size_t max_size, bool keep_line_feeds) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text.substr(0, max_size)) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet >= 0x20 && octet < 0x7f && c != '\\') || (keep_line_feeds && c == '\n')) {
      escaped += c;
    } else {
      escaped += {'\\', 'x', kHex[octet >> 4], kHex[octet & 0xf]};
    }
  }
  if (text.size() > max_size) escaped += "...";
  return escaped;
}

}  // namespace

grpc::Status ToGrpcStatus(const Error& error, std::string_view correlation_id) {
  const WireForm form = ToWire(error.code);
  std::string text = form.text;
  if (!correlation_id.empty()) text += " (reference " + std::string(correlation_id) + ")";
  return {form.code, text};
}

grpc::Status ToLocalGrpcStatus(const Error& error) {
  const WireForm form = ToWire(error.code);
  if (error.detail.empty()) return {form.code, form.text};
  std::string text = error.detail.substr(0, kMaxLocalDetail);
  if (error.detail.size() > kMaxLocalDetail) text += "...";
  return {form.code, text};
}

Error FromGrpcStatus(const grpc::Status& status) {
  return {FromWire(status.error_code()),
          "the peer answered: " + Escape(status.error_message(), kMaxPeerText, false)};
}

Error FromLocalGrpcStatus(const grpc::Status& status) {
  return {FromWire(status.error_code()), Escape(status.error_message(), kMaxLocalText, true)};
}

}  // namespace comity::transport
