// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres/line_cutter.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <list>
#include <set>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "crypto/base/check.h"
#include "services/runtime/descriptor.h"
#include "services/runtime/guarded.h"

namespace comity::testing {
namespace {

using runtime::Descriptor;

// What the store's writer sends to commit a group (services/store/postgres/postgres_writer.cc). If
// it changes, no commit is met, and the tests fail.
constexpr std::string_view kCommit = "SELECT 1; COMMIT";
constexpr int kTickMs = 20;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool SendAll(int socket, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t put = ::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// A filter that passes nothing: the system then does not even acknowledge what comes.
void DropAll(int socket) {
  sock_filter nothing[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  const sock_fprog program{1, nothing};
  COMITY_CHECK(::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
}

}  // namespace

class LineCutter::Proxy {
 public:
  Proxy(Descriptor listener, std::uint16_t port, std::uint16_t server_port)
      : listener_(std::move(listener)),
        port_(port),
        server_port_(server_port),
        acceptor_([this](const std::stop_token& stop) { Accept(stop); }) {}

  std::uint16_t port() const { return port_; }
  void Arm(Cut cut, bool stay_down) {
    plan_.With([&](Plan& plan) { plan.cut = cut, plan.stay_down = stay_down; });
  }
  void SetDown(bool down) { down_ = down; }
  void CutAll() { ++age_; }
  void Silence() {
    open_.With([&](Open& open) {
      open.silent = true;
      DropAll(listener_.get());
      for (const int socket : open.sockets) DropAll(socket);
    });
  }
  int commits_met() const { return met_; }

 private:
  struct Plan {
    Cut cut = Cut::kNever;
    bool stay_down = false;
  };
  struct Open {
    std::set<int> sockets;
    bool silent = false;
  };
  // Both sockets of a line, as long as it is open.
  class Listed {
   public:
    Listed(runtime::Guarded<Open>& open, std::array<int, 2> sockets)
        : open_(open), sockets_(sockets) {
      open_.With([&](Open& all) {
        for (const int socket : sockets_) {
          all.sockets.insert(socket);
          if (all.silent) DropAll(socket);
        }
      });
    }
    ~Listed() {
      open_.With([&](Open& all) {
        for (const int socket : sockets_) all.sockets.erase(socket);
      });
    }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

   private:
    runtime::Guarded<Open>& open_;
    const std::array<int, 2> sockets_;
  };

  void Accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, kTickMs) <= 0) continue;
      Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid() || down_) continue;
      Descriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in address = Loopback(server_port_);
      if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0) {
        continue;
      }
      const int on = 1;
      for (const Descriptor* end : {&client, &server}) {
        ::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      }
      lines_.emplace_back([this, to_client = std::move(client), to_server = std::move(server),
                           age = age_.load()](const std::stop_token& end) {
        Carry(end, to_client.get(), to_server.get(), age);
      });
    }
  }

  void Carry(const std::stop_token& stop, int client, int server, int age) {
    const Listed listed(open_, {client, server});
    bool silent = false;     // nothing gets through any more, and nothing is closed
    Cut then = Cut::kNever;  // when the server answers
    while (!stop.stop_requested() && age == age_) {
      std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
      if (::poll(ends.data(), ends.size(), kTickMs) <= 0) continue;
      for (const bool from_client : {true, false}) {
        if (ends[from_client ? 0 : 1].revents == 0) continue;
        std::array<char, 65536> buffer;
        const ssize_t got = ::recv(from_client ? client : server, buffer.data(), buffer.size(), 0);
        if (got <= 0) {
          if (silent && from_client) continue;  // the server must not notice
          return;
        }
        const std::string_view octets(buffer.data(), static_cast<std::size_t>(got));
        if (from_client && octets.find(kCommit) != octets.npos) {
          const Cut cut = Meet();
          if (cut == Cut::kBeforeCommit) return;
          if (cut == Cut::kSwallowCommit) silent = true;
          then = cut;
        } else if (!from_client && then == Cut::kAfterCommit) {
          return;
        } else if (!from_client && then == Cut::kSwallowAnswer) {
          silent = true;
        }
        if (!silent && !SendAll(from_client ? server : client, octets)) return;
      }
      if (silent) std::this_thread::sleep_for(std::chrono::milliseconds(kTickMs));
    }
  }

  Cut Meet() {
    return plan_.With([&](Plan& plan) {
      const Cut cut = std::exchange(plan.cut, Cut::kNever);
      if (cut == Cut::kNever) return cut;
      if (plan.stay_down) down_ = true;
      ++met_;
      return cut;
    });
  }

  const Descriptor listener_;
  const std::uint16_t port_;
  const std::uint16_t server_port_;
  runtime::Guarded<Plan> plan_;
  runtime::Guarded<Open> open_;
  std::atomic<bool> down_{false};
  std::atomic<int> age_{0};
  std::atomic<int> met_{0};
  std::list<std::jthread> lines_;  // of the acceptor alone
  std::jthread acceptor_;          // last: uses all of the above
};

LineCutter::LineCutter(std::unique_ptr<Proxy> proxy) : proxy_(std::move(proxy)) {}
LineCutter::~LineCutter() = default;

Result<std::unique_ptr<LineCutter>> LineCutter::Start(std::uint16_t server_port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 64;
  if (!listener.valid() || ::bind(listener.get(), generic, size) != 0 ||
      ::listen(listener.get(), kBacklog) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0) {
    return Fail(ErrorCode::kUnavailable, "no socket for a proxy");
  }
  return std::unique_ptr<LineCutter>(new LineCutter(
      std::make_unique<Proxy>(std::move(listener), ntohs(address.sin_port), server_port)));
}

std::uint16_t LineCutter::port() const {
  return proxy_->port();
}
void LineCutter::Arm(Cut cut, bool stay_down) {
  proxy_->Arm(cut, stay_down);
}
void LineCutter::SetDown(bool down) {
  proxy_->SetDown(down);
}
void LineCutter::CutAll() {
  proxy_->CutAll();
}
void LineCutter::Silence() {
  proxy_->Silence();
}
int LineCutter::commits_met() const {
  return proxy_->commits_met();
}

}  // namespace comity::testing
