// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/web_server.h"

#include <httplib.h>
#include <openssl/ssl.h>

#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "crypto/tlog/tile.h"
#include "services/runtime/file.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kThreads = 8;  // one serves one connection; scrapers and auditors are few
constexpr std::size_t kMaxFile = std::size_t{4} << 20;  // a full entry bundle is at most 2.1 MB
constexpr std::chrono::seconds kPatience{5};

// Reads key and chain for one handshake, so that a rotated identity is used at once.
int UseIdentity(SSL* ssl, void* argument) {
  const std::string& file = *static_cast<const std::string*>(argument);
  // Order matters: the certificate decides which key fits.
  return SSL_use_certificate_chain_file(ssl, file.c_str()) == 1 &&
                 SSL_use_PrivateKey_file(ssl, file.c_str(), SSL_FILETYPE_PEM) == 1
             ? 1
             : 0;
}

bool ConfigureTls(SSL_CTX& context, std::string& identity_file) {
  if (SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION) != 1) return false;
  if (SSL_CTX_use_certificate_chain_file(&context, identity_file.c_str()) != 1) return false;
  if (SSL_CTX_use_PrivateKey_file(&context, identity_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return false;
  }
  SSL_CTX_set_cert_cb(&context, UseIdentity, &identity_file);
  return true;
}

}  // namespace

class WebServer::Impl {
 public:
  explicit Impl(Settings settings)
      : settings_(std::move(settings)),
        identity_file_(settings_.identity_file.string()),
        server_([this](SSL_CTX& context) { return ConfigureTls(context, identity_file_); }) {}

  Status Start() {
    if (!server_.is_valid()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "web port: " + identity_file_ + " holds no private key with its certificate");
    }
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_read_timeout(kPatience);
    server_.set_write_timeout(kPatience);
    server_.set_keep_alive_timeout(kPatience.count());
    server_.set_payload_max_length(0);  // nothing is ever sent to this port
    server_.set_default_headers(
        {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
    AddRoutes();
    port_ = settings_.address.port == 0
                ? server_.bind_to_any_port(settings_.address.host)
                : (server_.bind_to_port(settings_.address.host, settings_.address.port)
                       ? settings_.address.port
                       : -1);
    if (port_ <= 0) {
      return Fail(ErrorCode::kUnavailable,
                  "listen.web: cannot listen on " + settings_.address.text() + " (is it in use?)");
    }
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    return {};
  }

  ~Impl() { server_.stop(); }

  int port() const { return port_; }

 private:
  void AddRoutes() {
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      const std::string problem = settings_.problem();
      response.status = problem.empty() ? 200 : 503;
      response.set_content(problem.empty() ? "ok\n" : problem + "\n", "text/plain");
    });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      settings_.before_metrics();
      response.set_content(settings_.metrics.Render(), "text/plain; version=0.0.4");
    });
    server_.Get("/log/checkpoint", [this](const httplib::Request&, httplib::Response& response) {
      Serve("checkpoint", "text/plain; charset=utf-8", response);
    });
    server_.Get(R"(/log/(tile/[0-9a-z/.]{1,64}))",
                [this](const httplib::Request& request, httplib::Response& response) {
                  const std::string path = request.matches[1];
                  // Only what is a tile path is ever looked up: nothing can climb out of the
                  // folder.
                  if (!tlog::ParseTilePath(path)) {
                    response.status = 404;
                    return;
                  }
                  Serve(path, "application/octet-stream", response);
                });
  }

  void Serve(const std::string& path, const char* type, httplib::Response& response) {
    const auto content = runtime::ReadFile(settings_.log_directory / path, kMaxFile);
    if (!content) {
      response.status = 404;
      return;
    }
    response.set_content(std::string(AsText(*content)), type);
  }

  Settings settings_;
  std::string identity_file_;
  httplib::SSLServer server_;
  int port_ = -1;
  std::jthread thread_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

Result<std::unique_ptr<WebServer>> WebServer::Start(Settings settings) {
  auto impl = std::make_unique<Impl>(std::move(settings));
  COMITY_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

int WebServer::port() const {
  return impl_->port();
}

}  // namespace comity::gateway
