// SPDX-License-Identifier: Apache-2.0
#include "services/cli/tcp_probe.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include "services/runtime/descriptor.h"

namespace comity::cli {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses Resolve(const runtime::Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &list) != 0) return nullptr;
  return Addresses(list);
}

// 0, or the errno of the connection.
int ConnectTo(const addrinfo& address, std::chrono::milliseconds patience) {
  const runtime::Descriptor socket(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno;
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{socket.get(), POLLOUT, 0};
  const int ready = ::poll(&wait, 1, static_cast<int>(patience.count()));
  if (ready == 0) return ETIMEDOUT;
  if (ready < 0) return errno;
  int fault = 0;
  socklen_t size = sizeof fault;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &fault, &size) != 0) return errno;
  return fault;
}

}  // namespace

int TryListen(const runtime::Endpoint& endpoint) {
  const Addresses addresses = Resolve(endpoint);
  if (!addresses) return EADDRNOTAVAIL;
  const runtime::Descriptor socket(::socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno;
  // As a server does: connections of an earlier run that linger are no obstacle.
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0) return errno;
  return ::listen(socket.get(), 1) == 0 ? 0 : errno;
}

Status TryConnect(const runtime::Endpoint& endpoint, std::chrono::milliseconds patience) {
  const Addresses addresses = Resolve(endpoint);
  if (!addresses) {
    return Fail(ErrorCode::kUnavailable, "the name " + endpoint.host + " cannot be resolved");
  }
  int fault = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    fault = ConnectTo(*address, patience);
    if (fault == 0) return {};
  }
  return Fail(ErrorCode::kUnavailable, std::generic_category().message(fault));
}

}  // namespace comity::cli
