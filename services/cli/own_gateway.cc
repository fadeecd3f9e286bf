// SPDX-License-Identifier: Apache-2.0
#include "services/cli/own_gateway.h"

#include "services/cli/exit_code.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"

namespace comity::cli {

Result<OwnGateway> OwnGateway::Open(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const Profile profile, LoadProfile(session));
  transport::ChannelTarget target;
  target.address = profile.gateway;
  target.identity_file = profile.identity;
  target.peer.agency = "the own gateway";
  target.peer.spiffe_id = profile.spiffe_id;
  target.peer.anchor_file = profile.roots;
  COMITY_ASSIGN_OR_RETURN(auto channel,
                          Locally(transport::OpenChannel(
                              target, {transport::limits::kMaxAgencyMessage, session.clock})));
  return OwnGateway(std::move(channel), profile.gateway.text());
}

Error OwnGateway::Describe(const grpc::Status& status) const {
  Error error = transport::FromLocalGrpcStatus(status);
  error.detail = "gateway " + address_ + ": " + error.detail;
  return error;
}

}  // namespace comity::cli
