// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/web_server.h"

#include <httplib.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/tlog/tile.h"
#include "services/gateway/web_stream.h"
#include "services/runtime/file.h"
#include "services/transport/connection_listener.h"
#include "services/transport/limits.h"
#include "services/transport/openssl_ptr.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kThreads = 8;  // one serves one connection; scrapers and auditors are few
constexpr std::size_t kMaxFile = std::size_t{4} << 20;  // a full entry bundle is at most 2.1 MB
constexpr int kRequestsOfConnection = 256;              // an auditor fetches tile by tile
constexpr char kGroup[] = "P-256";                      // as at the other ports
constexpr std::string_view kProtocol = "http/1.1";

// A client that names protocols names this one, or wants something else than this port.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned int octets, void*) {
  for (unsigned int at = 0; at < octets; at += offered[at] + 1U) {
    if (at + 1U + offered[at] > octets) break;
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kProtocol) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

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
  SSL_CTX_set_alpn_select_cb(&context, ChooseProtocol, nullptr);
  // A write that was cut short may be repeated from another place of memory.
  SSL_CTX_set_mode(&context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return SSL_CTX_set1_groups_list(&context, kGroup) == 1;
}

bool IsPlainGet(const httplib::Request& request) {
  return request.method == "GET" && !request.has_header("Content-Length") &&
         !request.has_header("Transfer-Encoding");
}

// httplib without its sockets: they come from ConnectionListener, which bounds them, and are read
// by WebStream, which bounds requests.
class Requests : public httplib::Server {
 public:
  // False: the connection is over.
  bool Answer(WebStream& stream, bool is_last) {
    bool is_closed = false;
    bool is_plain = false;
    const bool is_answered = process_request(stream, is_last, is_closed, [&](auto& request) {
      // Parts of a file, asked for again and again in one request, would be many times its size.
      request.ranges.clear();
      is_plain = IsPlainGet(request);
    });
    return is_answered && is_plain && !is_closed;
  }
};

}  // namespace

class WebServer::Impl {
 public:
  explicit Impl(Settings settings)
      : settings_(std::move(settings)),
        identity_file_(settings_.identity_file.string()),
        context_(SSL_CTX_new(TLS_server_method())) {}

  Status Start() {
    if (!context_ || !ConfigureTls(*context_, identity_file_)) {
      return Fail(ErrorCode::kInvalidArgument,
                  "web port: " + identity_file_ + " holds no private key with its certificate");
    }
    server_.set_payload_max_length(0);  // nothing is ever sent to this port
    server_.set_default_headers(
        {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}});
    // Before a body is read: nothing that is sent to this port is.
    server_.set_pre_routing_handler(
        [](const httplib::Request& request, httplib::Response& response) {
          if (IsPlainGet(request)) return httplib::Server::HandlerResponse::Unhandled;
          response.status = 405;
          response.set_header("Allow", "GET");
          return httplib::Server::HandlerResponse::Handled;
        });
    AddRoutes();
    auto listener = transport::ConnectionListener::Open(
        {.address = settings_.address,
         .bounds = transport::limits::kWebConnections,
         .hand_over = [this](int descriptor) { Enqueue(descriptor); },
         .on_refusal = [this](transport::GateRefusal refusal) { settings_.on_refusal(refusal); },
         .on_change = [](std::size_t) {}});
    if (!listener) {
      return Fail(listener.error().code,
                  "listen.web: " + listener.error().detail + " (is it in use?)");
    }
    listener_ = *std::move(listener);
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { Serve(stop); });
    }
    listener_->Run();
    return {};
  }

  ~Impl() {
    listener_.reset();
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
    for (const int descriptor : waiting_) close(descriptor);
  }

  int port() const { return listener_->port(); }

 private:
  // As many as the listener lets in.
  void Enqueue(int descriptor) {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(descriptor);
    wake_.notify_one();
  }

  void Serve(const std::stop_token& stop) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      const int descriptor = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      WebStream stream(*context_, descriptor, stop);
      if (!stream.Handshake()) continue;
      for (int i = kRequestsOfConnection; i > 0 && stream.AwaitRequest(); --i) {
        if (!server_.Answer(stream, i == 1)) break;
      }
    }
  }

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

  const Settings settings_;
  std::string identity_file_;
  transport::SslCtxPtr context_;
  Requests server_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<int> waiting_;  // descriptors, under `mutex_`
  std::unique_ptr<transport::ConnectionListener> listener_;
  std::vector<std::jthread> threads_;
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
