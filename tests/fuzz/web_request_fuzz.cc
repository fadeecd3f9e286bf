// SPDX-License-Identifier: Apache-2.0
// What anybody may send to the web port, within TLS: whatever it is, nothing is answered with but
// what is public, and the port goes on answering.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/base/check.h"
#include "services/gateway/web_server.h"
#include "services/transport/openssl_ptr.h"
#include "services/transport/pki.h"
#include "tests/support/temporary_directory.h"

namespace comity::gateway {
namespace {

using SslPtr = std::unique_ptr<SSL, transport::OpenSslFree<SSL_free>>;

// Stands in files that are not public.
constexpr std::string_view kNotPublic = "what nobody may read";

void Write(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

class Port {
 public:
  Port() : folder_(directory_.path() / "pki"), context_(SSL_CTX_new(TLS_client_method())) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    COMITY_CHECK(transport::InitCa({"eastvale-council", "eastvale.example", folder_}, now));
    COMITY_CHECK(transport::Issue(folder_, {.name = {}, .hosts = {}}, now));
    Write(directory_.path() / "log/checkpoint", "a checkpoint\n");
    Write(directory_.path() / "log/tile/0/000", "a tile\n");
    Write(directory_.path() / "log/secret", kNotPublic);
    Write(directory_.path() / "secret", kNotPublic);
    auto started = WebServer::Start({.address = {"127.0.0.1", 0},
                                     .identity_file = folder_ / "gateway.pem",
                                     .log_directory = directory_.path() / "log",
                                     .metrics = metrics_,
                                     .problem = [] { return std::string(); },
                                     .before_metrics = [] {},
                                     .on_refusal = [](transport::GateRefusal) {}});
    COMITY_CHECK(started.has_value());
    server_ = *std::move(started);
    // What the library keeps for ever is made now, and so outlives the port and its threads.
    COMITY_CHECK(IsSound());
  }

  // Whether a request that is in order is answered.
  bool IsSound() const {
    return Ask("GET /log/checkpoint HTTP/1.1\r\nConnection: close\r\n\r\n", std::chrono::seconds(8))
        .ends_with("a checkpoint\n");
  }

  // Everything that comes back until the port closes the connection, or says nothing for so long:
  // it waits seconds for the rest of a request, and answers none whose end of the connection is
  // closed.
  std::string Ask(std::string_view request, std::chrono::milliseconds patience) const {
    const int descriptor = Connect(patience);
    const SslPtr ssl(SSL_new(context_.get()));
    COMITY_CHECK(SSL_set_fd(ssl.get(), descriptor) == 1);
    std::string answer;
    if (SSL_connect(ssl.get()) == 1) {
      if (!request.empty()) SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
      char piece[4096];
      for (int got = 0; (got = SSL_read(ssl.get(), piece, sizeof(piece))) > 0;) {
        answer.append(piece, static_cast<std::size_t>(got));
      }
    }
    // Without the wait of a closed connection, of which thousands would use up all ports.
    const linger at_once{1, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(descriptor);
    return answer;
  }

 private:
  int Connect(std::chrono::milliseconds patience) const {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    COMITY_CHECK(descriptor >= 0 && connect(descriptor, reinterpret_cast<const sockaddr*>(&address),
                                            sizeof(address)) == 0);
    return descriptor;
  }

  testing::TemporaryDirectory directory_;
  const std::filesystem::path folder_;
  runtime::Metrics metrics_;
  transport::SslCtxPtr context_;
  std::unique_ptr<WebServer> server_;
};

}  // namespace
}  // namespace comity::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity::gateway;
  static const Port port;
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  const std::string answer = port.Ask(request, std::chrono::milliseconds(20));
  COMITY_CHECK(answer.find(kNotPublic) == std::string::npos);
  COMITY_CHECK(answer.find("PRIVATE KEY") == std::string::npos);
  COMITY_CHECK(answer.empty() || answer.starts_with("HTTP/1.1 "));
  static std::uint64_t count = 0;
  if (++count % 256 == 0) COMITY_CHECK(port.IsSound());
  return 0;
}
