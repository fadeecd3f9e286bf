// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comity/v1/agreements.grpc.pb.h"
#include "comity/v1/alerts.grpc.pb.h"
#include "comity/v1/approvals.grpc.pb.h"
#include "comity/v1/audit.grpc.pb.h"
#include "comity/v1/deployments.grpc.pb.h"
#include "comity/v1/node.grpc.pb.h"
#include "comity/v1/notices.grpc.pb.h"
#include "comity/v1/peers.grpc.pb.h"
#include "comity/v1/people.grpc.pb.h"
#include "comity/v1/retention.grpc.pb.h"
#include "comity/v1/stops.grpc.pb.h"
#include "comity/v1/watchlists.grpc.pb.h"
#include "policy/agreement/statement.h"
#include "services/gateway/gateway.h"
#include "services/runtime/logging.h"
#include "tests/support/agreement_text.h"
#include "tests/support/engine_client.h"
#include "tests/support/manual_clock.h"
#include "tests/support/partners.h"
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
  std::uint16_t federation_port() const { return federation_port_; }  // reserved for it
  // Starts the gateway with these partners enrolled, besides those that are already.
  void Start(const std::vector<const LiveAgency*>& peers);
  Status TryStart(const std::vector<const LiveAgency*>& peers = {});
  // Starts the gateway on what is there, as its operator would: nobody is seeded.
  Status Restart();
  std::filesystem::path config_file() const { return folder_.path() / "comityd.toml"; }
  // The second copy of the erasure ledger.
  std::filesystem::path ledger() const { return folder_.path() / "ledger"; }
  gateway::Gateway& gateway() const { return *gateway_; }
  // Further tables of the configuration; before Start.
  void Configure(std::string toml) { settings_ = std::move(toml); }
  // Writes config_file(), which Start does by itself.
  void WriteConfig() const;
  // Partners find it at this port of loopback, where something stands before its own; before they
  // start.
  void ReachedAt(std::uint16_t port) { reached_at_ = port; }
  // What this agency's gateway gives to partners.
  transport::PeerCard card() const;
  // admin-1 and admin-2 at the agency port.
  TwoPeople administrators() const;
  sign::SigningKey PersonKey(const std::string& person) const;
  void Stop();  // as a crash-free restart: the gateway goes, the data stays
  bool running() const { return gateway_ != nullptr; }
  std::string log_text() const { return log_.str(); }

  // Stubs to the agency port as one of Staff() (tests/support/staff.h).
  std::unique_ptr<v1::Agreements::Stub> agreements(const std::string& person = "dpo") const;
  std::unique_ptr<v1::Watchlists::Stub> watchlists(const std::string& person = "operator") const;
  std::unique_ptr<v1::Stops::Stub> stops(const std::string& person = "supervisor-1") const;
  std::unique_ptr<v1::Deployments::Stub> deployments(const std::string& person = "operator") const;
  std::unique_ptr<v1::Alerts::Stub> alerts(const std::string& person = "adjudicator") const;
  std::unique_ptr<v1::Audit::Stub> audit(const std::string& person = "auditor") const;
  std::unique_ptr<v1::Node::Stub> node(const std::string& person = "operator") const;
  std::unique_ptr<v1::People::Stub> people(const std::string& person = "admin-1") const;
  std::unique_ptr<v1::Peers::Stub> peers(const std::string& person = "admin-1") const;
  std::unique_ptr<v1::Retention::Stub> retention(const std::string& person = "dpo") const;
  std::unique_ptr<v1::Approvals::Stub> approvals(const std::string& person) const;
  std::unique_ptr<v1::Notices::Stub> notices(const std::string& person) const;
  // `person` approves a pending act; the test's process ends if the gateway refuses.
  v1::PendingAct ApproveAct(v1::PendingAct act, const std::string& person) const;

  // Proposed by the operator and, unless it was refused, approved by supervisor-1.
  v1::ProposeDeploymentResponse StartDeployment(const v1::DeploymentDefinition& definition) const;

  EngineSettings engine() const;
  // A further engine with a certificate of its own.
  EngineSettings IssueEngine(const std::string& name);
  std::filesystem::path person_identity(const std::string& person = "operator") const {
    return pki() / "people" / (person + ".pem");
  }
  // A channel to the agency port by whoever holds `identity`.
  std::shared_ptr<grpc::Channel> ChannelAs(const std::filesystem::path& identity) const;
  std::shared_ptr<grpc::Channel> ChannelOf(const std::string& person) const {
    return ChannelAs(person_identity(person));
  }
  UncheckedRequester::Settings unchecked_towards(const LiveAgency& holder) const;

  // Statements of this agency's people, submitted to the own gateway.
  v1::SubmitAgreementResponse SubmitDocument(const std::string& yaml);
  v1::SubmitAgreementResponse Say(const std::string& person, policy::Statement statement);
  // Advice and both signatures.
  void Approve(const policy::AgreementRef& agreement);

 private:
  std::string ConfigText() const;

  std::string agency_;
  TemporaryDirectory folder_;
  std::uint16_t federation_port_;
  std::uint16_t reached_at_ = federation_port_;
  std::string settings_;
  runtime::SystemClock clock_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_;
  std::unique_ptr<runtime::Config> config_;
  std::unique_ptr<gateway::Gateway> gateway_;
};

// The reference of a document's bytes.
policy::AgreementRef RefOf(const AgreementText& text, const std::string& yaml);

}  // namespace comity::testing
