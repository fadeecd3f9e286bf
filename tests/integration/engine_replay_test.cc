// SPDX-License-Identifier: Apache-2.0
// `comity engine replay` against two live gateways.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/integration/direct_search_world.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class EngineReplay : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(20);
    deployment_ = StartDeployment(Definition()).deployment();
    WriteFaces(
        {entries_[7], RandomTemplate(random_), RandomTemplate(random_), RandomTemplate(random_)});
    const EngineSettings engine = council_.engine();
    WriteProfile("engine.toml", engine.identity_file);
    WriteProfile("person.toml", council_.person_identity());
  }
  void WriteFaces(const std::vector<Template>& faces) {
    std::ofstream file(Path("faces.f32"), std::ios::binary);
    for (const Template& face : faces) {
      file.write(reinterpret_cast<const char*>(face.data()),
                 static_cast<std::streamsize>(face.size() * sizeof(float)));
    }
  }
  void WriteProfile(const std::string& name, const std::filesystem::path& identity) {
    const EngineSettings engine = council_.engine();
    std::ofstream(Path(name)) << "gateway = \"" << engine.gateway << "\"\nspiffe_id = \""
                              << engine.gateway_id << "\"\nidentity = \"" << identity.string()
                              << "\"\nroots = \"" << engine.roots_file.string() << "\"\n";
  }
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  CommandOutput Replay(std::vector<std::string> more, const std::string& profile = "engine.toml") {
    std::vector<std::string> command = {COMITY_PROGRAM,    "engine",    "replay",
                                        Path("faces.f32"), "--profile", Path(profile)};
    if (std::ranges::find(more, "--deployment") == more.end()) {
      command.insert(command.end(), {"--deployment", deployment_});
    }
    command.insert(command.end(), more.begin(), more.end());
    const auto output = RunCommand(command);
    EXPECT_THAT(output, IsOk());
    return output.value_or(CommandOutput{});
  }
  // Until the gateway has counted one.
  void AwaitFaces() {
    for (int i = 0; i < 600; ++i) {
      v1::GetDeploymentRequest request;
      request.set_deployment(deployment_);
      grpc::ClientContext context;
      v1::DeploymentSummary summary;
      EXPECT_TRUE(council_.deployments()->Get(&context, request, &summary).ok());
      if (summary.faces() > 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "no face arrives";
  }
  static std::uint64_t Sum(const Json& counts) {
    std::uint64_t sum = 0;
    for (const auto& count : counts) sum += count.get<std::uint64_t>();
    return sum;
  }

  TemporaryDirectory folder_;
  std::string deployment_;
};

TEST_F(EngineReplay, CountsEveryAnswerAndMeasuresThemByHolderAndMode) {
  const CommandOutput output =
      Replay({"--rate", "40", "--seconds", "2", "--cameras", "3", "--json"});
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_EQ(output.err, "");  // progress is for terminals
  const Json json = Json::parse(output.out);
  EXPECT_EQ(json["faces"], 80);
  EXPECT_EQ(json["sent"], 80);
  EXPECT_EQ(json["missing"], 0);
  EXPECT_EQ(json["broken"], Json::array());
  ASSERT_EQ(json["holders"].size(), 1u);
  const Json& holder = json["holders"][0];
  EXPECT_EQ(holder["holder"], "northshire-police");
  EXPECT_EQ(holder["mode"], "direct");
  EXPECT_EQ(holder["answered"]["count"].get<std::uint64_t>() + Sum(holder["unanswered"]) +
                Sum(holder["refused"]),
            80u);
  EXPECT_GT(holder["answered"]["p50_ms"], 0);
  EXPECT_LE(holder["answered"]["p50_ms"], holder["answered"]["p99_ms"]);
  EXPECT_LE(holder["answered"]["p99_ms"], holder["answered"]["max_ms"]);
  // The one person who is listed passes every 100 ms: one alert, and further frames of it.
  EXPECT_EQ(holder["alerts"], 1);
  EXPECT_GT(holder["merged"], 0);
}

TEST_F(EngineReplay, TellsPeopleTheSame) {
  const CommandOutput output = Replay({"--rate", "20", "--seconds", "1", "--tracks", "5"});
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("sent 20 of 20 faces at 20 a second from 1 camera;"));
  EXPECT_THAT(output.out, HasSubstr("P99 MS"));
  EXPECT_THAT(output.out, HasSubstr("northshire-police  direct  "));
}

TEST_F(EngineReplay, CountsRefusalsByTheirCode) {
  Suspend();
  const CommandOutput output = Replay({"--rate", "20", "--seconds", "1", "--json"});
  EXPECT_EQ(output.exit_code, 1);
  const Json json = Json::parse(output.out);
  EXPECT_EQ(json["holders"][0]["refused"], (Json{{"agreement-suspended", 20}}));
  EXPECT_EQ(json["holders"][0]["answered"]["p50_ms"], nullptr);
  EXPECT_THAT(Replay({"--rate", "20", "--seconds", "1"}).out,
              HasSubstr("refused: 20 by northshire-police"));
}

TEST_F(EngineReplay, CountsWhatAHolderThatIsGoneLeavesUnanswered) {
  police_.Stop();
  const CommandOutput output = Replay({"--rate", "100", "--seconds", "1", "--json"});
  EXPECT_EQ(output.exit_code, 1);
  const Json json = Json::parse(output.out);
  std::uint64_t unanswered = 0;
  for (const Json& holder : json["holders"]) unanswered += Sum(holder["unanswered"]);
  EXPECT_EQ(unanswered, 100u) << output.out;
  EXPECT_EQ(json["missing"], 0);
}

TEST_F(EngineReplay, EndsByItsExitCodeLikeEveryCommand) {
  const std::vector<std::string> load = {"--rate", "20", "--seconds", "1"};
  EXPECT_EQ(Replay(load, "person.toml").exit_code, 3);
  EXPECT_EQ(Replay({"--rate", "20", "--deployment", "d-" + std::string(26, 'a')}).exit_code, 2);
  EXPECT_EQ(Replay({"--rate", "0", "--seconds", "1"}).exit_code, 2);
  Template broken = entries_[0];
  for (float& value : broken) value *= 2;
  WriteFaces({entries_[0], broken});
  const CommandOutput output = Replay(load);
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr("faces.f32: row 1: its L2 norm is 2.0"));
}

// A sender that does not wait for answers is slowed by the gateway: what it has sent and nobody has
// looked at stays small, so that it learns at once that it is too fast.
TEST_F(EngineReplay, IsSlowedByTheGatewayWithinSomeHundredFaces) {
  const CommandOutput output = Replay({"--rate", "8000", "--seconds", "1", "--json"});
  const Json json = Json::parse(output.out);
  EXPECT_GT(json["slow_sends_ms"], 0) << output.out;
  EXPECT_LT(json["most_awaited"], 600) << output.out;
}

TEST_F(EngineReplay, TellsWhatItMeasuredWhenItIsInterrupted) {
  auto replay = Process::Start(
      {COMITY_PROGRAM, "engine", "replay", Path("faces.f32"), "--profile", Path("engine.toml"),
       "--deployment", deployment_, "--rate", "20", "--cameras", "2", "--seconds", "3600"},
      Path("log"));
  ASSERT_THAT(replay, IsOk());
  AwaitFaces();
  EXPECT_EQ(replay->Stop(std::chrono::seconds(60)), 0);
  std::ifstream log(Path("log"));
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  EXPECT_THAT(text, HasSubstr(" of 72000 faces at 20 a second from 2 cameras"));
  EXPECT_THAT(text, HasSubstr("northshire-police  direct  "));
}

// The next face of a camera whose stream has ended is due in minutes: nobody waits for it.
TEST_F(EngineReplay, TellsOfStreamsThatEndEarly) {
  const std::jthread stopper([this] {
    AwaitFaces();
    v1::StopDeploymentRequest request;
    request.set_deployment(deployment_);
    request.set_reason("over");
    grpc::ClientContext context;
    v1::StopDeploymentResponse response;
    EXPECT_TRUE(council_.deployments()->Stop(&context, request, &response).ok());
  });
  const CommandOutput output =
      Replay({"--rate", "0.01", "--seconds", "1000", "--cameras", "2", "--json"});
  EXPECT_EQ(output.exit_code, 1) << output.err;
  const Json json = Json::parse(output.out);
  EXPECT_LT(json["sent"], 10);
  EXPECT_FALSE(json["broken"].empty());
}

}  // namespace
}  // namespace comity::testing
