// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comity/v1/agreements.grpc.pb.h"
#include "comity/v1/alerts.grpc.pb.h"
#include "comity/v1/audit.grpc.pb.h"
#include "comity/v1/deployments.grpc.pb.h"
#include "comity/v1/node.grpc.pb.h"
#include "comity/v1/watchlists.grpc.pb.h"
#include "policy/agreement/statement.h"
#include "services/gateway/gateway.h"
#include "services/runtime/logging.h"
#include "tests/support/agreement_text.h"
#include "tests/support/engine_client.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unchecked_requester.h"

namespace comity::testing {

// One agency with its own CA, people and a running gateway, in this process, on loopback.
//
// Threads: thread-compatible.
class LiveAgency {
 public:
  explicit LiveAgency(const std::string& agency);
  ~LiveAgency();

  const std::string& name() const { return agency_; }
  std::filesystem::path pki() const { return folder_.path() / "pki"; }
  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::string spiffe_id() const { return "spiffe://" + agency_ + ".example/gateway"; }
  PartyKeys party_keys() const;
  // Reserves a federation port and pins `peer`.
  std::uint16_t federation_port() const { return federation_port_; }
  void Start(const std::vector<const LiveAgency*>& peers);
  void Stop();  // as a crash-free restart: the gateway goes, the data stays
  bool running() const { return gateway_ != nullptr; }
  std::string log_text() const { return log_.str(); }

  std::unique_ptr<v1::Agreements::Stub> agreements() const;
  std::unique_ptr<v1::Watchlists::Stub> watchlists() const;
  std::unique_ptr<v1::Deployments::Stub> deployments() const;
  std::unique_ptr<v1::Alerts::Stub> alerts() const;
  std::unique_ptr<v1::Audit::Stub> audit() const;
  std::unique_ptr<v1::Node::Stub> node() const;

  EngineSettings engine() const;
  // A further engine with a certificate of its own.
  EngineSettings IssueEngine(const std::string& name);
  std::filesystem::path person_identity() const { return pki() / "people" / "operator.pem"; }
  // A channel to the agency port by whoever holds `identity`.
  std::shared_ptr<grpc::Channel> ChannelAs(const std::filesystem::path& identity) const;
  UncheckedRequester::Settings unchecked_towards(const LiveAgency& holder) const;

  // Statements of this agency's people, submitted to the own gateway.
  v1::SubmitAgreementResponse SubmitDocument(const std::string& yaml);
  v1::SubmitAgreementResponse Say(const std::string& person, policy::Statement statement);
  // Advice and both signatures.
  void Approve(const policy::AgreementRef& agreement);

 private:
  std::string WriteConfig(const std::vector<const LiveAgency*>& peers) const;
  sign::SigningKey PersonKey(const std::string& person) const;

  std::string agency_;
  TemporaryDirectory folder_;
  std::uint16_t federation_port_;
  runtime::SystemClock clock_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_;
  std::unique_ptr<runtime::Config> config_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

// The reference of a document's bytes.
policy::AgreementRef RefOf(const AgreementText& text, const std::string& yaml);

}  // namespace comity::testing
