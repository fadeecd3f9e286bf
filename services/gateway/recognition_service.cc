// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/recognition_service.h"

#include <array>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/gateway/deployment_holders.h"
#include "services/gateway/respond.h"
#include "services/gateway/watch_stream.h"
#include "services/matching/exchange_id.h"

namespace comity::gateway {

namespace {

// Lets another thread cancel a stream that may have ended meanwhile.
class StreamHandle {
 public:
  explicit StreamHandle(grpc::ServerContext& context)
      : context_(std::make_shared<runtime::Guarded<grpc::ServerContext*>>(&context)) {}
  StreamHandle(const StreamHandle&) = delete;
  StreamHandle& operator=(const StreamHandle&) = delete;
  ~StreamHandle() {
    context_->With([](grpc::ServerContext*& context) { context = nullptr; });
  }
  // Owns what it touches: it may be called after this object is gone.
  std::function<void()> cancel() const {
    return [shared = context_] {
      shared->With([](grpc::ServerContext*& context) {
        if (context != nullptr) context->TryCancel();
      });
    };
  }

 private:
  std::shared_ptr<runtime::Guarded<grpc::ServerContext*>> context_;
};

}  // namespace

grpc::Status RecognitionService::Watch(grpc::ServerContext* context, Stream* stream) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string engine,
                            ports_.callers.Engine(*context, "Recognition.Watch"));
    COMITY_ASSIGN_OR_RETURN(const Places::Place place,
                            streams_.Take("engines", "limits.max_streams"));
    return Serve(*context, *stream, engine);
  });
}

Result<matching::DeploymentStatus> RecognitionService::FindDeployment(
    const std::string& id, const std::string& engine) const {
  COMITY_ASSIGN_OR_RETURN(const policy::DeploymentId parsed, policy::DeploymentId::Parse(id));
  COMITY_ASSIGN_OR_RETURN(matching::DeploymentStatus deployment, ports_.deployments.Find(parsed));
  if (deployment.definition->engine_name != engine) {
    return Fail(ErrorCode::kNotFound, "no deployment " + id + " of engine " + engine);
  }
  if (deployment.phase != matching::DeploymentPhase::kActive) {
    return Fail(ErrorCode::kConflict,
                "deployment " + id + " is " + std::string(matching::Name(deployment.phase)));
  }
  return deployment;
}

Status RecognitionService::Serve(grpc::ServerContext& context, Stream& stream,
                                 const std::string& engine) {
  v1::WatchRequest request;
  if (!stream.Read(&request)) return {};
  if (!request.has_open()) {
    return Fail(ErrorCode::kInvalidArgument, "the first message of a stream is `open`");
  }
  COMITY_ASSIGN_OR_RETURN(const matching::DeploymentStatus deployment,
                          FindDeployment(request.open().deployment(), engine));
  const StreamHandle handle(context);
  COMITY_ASSIGN_OR_RETURN(const auto on_stop,
                          ports_.deployments.OnStop(deployment.id, handle.cancel()));
  WatchStream::Events events;
  events.on_face = [&] { counts_.With([&](auto& counts) { ++counts[deployment.id].faces; }); };
  events.on_alert = [&] { counts_.With([&](auto& counts) { ++counts[deployment.id].alerts; }); };
  events.is_stopped = [&] {
    const auto now = ports_.deployments.Find(deployment.id);
    return !now || now->phase == matching::DeploymentPhase::kStopped;
  };
  events.may_continue = [&] {
    return ports_.link.search.clock.Now() < deployment.definition->ends_at &&
           ports_.callers.Engine(context, "Recognition.Watch").has_value();
  };
  WatchStream watch(stream, context, ports_.link.search.clock, deployment, std::move(events));
  const std::string exchange = matching::NewExchangeId(ports_.link.random);
  for (const policy::AgencyId& holder :
       HoldersOf(*deployment.definition, *ports_.link.search.agreements(), ports_.self,
                 ports_.link.search.clock.Now())) {
    matching::RequesterTerms terms;
    terms.own_agency = ports_.self;
    terms.holder = holder;
    terms.exchange = exchange;
    terms.deployment_id = deployment.id;
    terms.deployment = deployment.definition;
    terms.operator_id = deployment.created_by;
    std::array<std::uint8_t, 32> key;
    ports_.link.random.Fill(key);
    terms.operator_key = EncodeHex(key);
    watch.AddHolder(ports_.link, std::move(terms));
  }
  return watch.Run(exchange);
}

StreamCounts RecognitionService::CountsOf(const policy::DeploymentId& deployment) const {
  return counts_.With([&](const auto& counts) {
    const auto found = counts.find(deployment);
    return found == counts.end() ? StreamCounts{} : found->second;
  });
}

}  // namespace comity::gateway
