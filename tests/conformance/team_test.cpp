// A team of shipped agents with the offline model: the same conversation on both runtimes, where on the bus the members
// live in another process than their manager.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <functional>
#include <gmock/gmock.h>
#include <memory>

#include "agents/host/agents_config.hpp"
#include "agents/host/deployment.hpp"
#include "libmsg/messages/conversation.hpp"
#include "services/config/yaml.hpp"
#include "tests/conformance/bus.hpp"

namespace parley::conformance {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr std::string_view kPoets = R"(
models:
  poet: {provider: offline, prefix: "", rules: [{contains: too short, reply: a rose is red}], default_reply: a rose}
  critic: {provider: offline, prefix: "", rules: [{contains: is red, reply: APPROVE}], default_reply: too short}
  slow: {provider: offline, latency: 60s, default_reply: at last}
workers:
  - name: managers
    agents:
      - {type: poets, kind: group_chat, participants: [poet, critic], termination: [{text: APPROVE, by: [critic]}]}
      - {type: dreamers, kind: group_chat, participants: [poet, sleeper]}
  - name: members
    agents:
      - {type: poet, kind: assistant, model: poet}
      - {type: critic, kind: assistant, model: critic}
      - {type: sleeper, kind: assistant, model: slow}
)";

/// `from: text` of one event, if it is of those that make a conversation.
std::string line_of(const messages::TeamEvent& event) {
  const bool is_told = event.event == "turn_ended" || event.event == "ended" || event.event == "participant_failed";
  return is_told ? event.event + " " + event.from + " " + event.detail + ": " + event.text : std::string();
}

struct Talk {
  std::vector<std::string> lines;
  std::string pieces;  ///< of all speakers, in order
  Result<messages::Answer> answer = fail(ErrorCode::invalid, "it has not ended");
};

template <class BusType>
class Teams : public Conformance<BusType> {
 protected:
  Task<> host_teams() {
    const auto document = config::parse_yaml(kPoets, "poets.yaml");
    suite_ = std::make_unique<host::SuiteConfig>(*host::read_suite(*document));
    host::AgentsConfig& managers = suite_->workers.at(0).config;
    host::AgentsConfig& members = suite_->workers.at(1).config;
    EXPECT_EQ(code_of(deployment_.prepare(managers)), "ok");
    EXPECT_EQ(code_of(deployment_.prepare(members)), "ok");
    EXPECT_EQ(code_of(co_await deployment_.deploy(this->bus_.runtime(), managers)), "ok");
    EXPECT_EQ(code_of(co_await deployment_.deploy(this->bus_.other(), members)), "ok");
  }

  /// `on_turn` is told who begins to speak.
  Task<Talk> talk(std::string team, std::function<void(std::string)> on_turn = {}) {
    Talk heard;
    const messages::Text task{"a poem about a rose", "user"};
    Result<ReplyStream> stream =
        co_await this->bus_.runtime().client().request_stream(target(team), to_payload(task), within(30s));
    EXPECT_EQ(code_of(stream), "ok");
    if (!stream) co_return heard;
    for (;;) {
      const Result<std::optional<Payload>> part = co_await stream->next();
      EXPECT_EQ(code_of(part), "ok");
      if (!part) co_return heard;
      if (!*part) break;
      if (const auto piece = from_payload<messages::TextPart>(**part)) heard.pieces += piece->text;
      const auto event = from_payload<messages::TeamEvent>(**part);
      if (!event) continue;
      if (event->event == "turn_started" && on_turn) on_turn(event->from);
      if (std::string line = line_of(*event); !line.empty()) heard.lines.push_back(std::move(line));
    }
    heard.answer = from_payload<messages::Answer>(stream->reply());
    co_return heard;
  }

  SystemClock clock_;
  SystemRandom random_;
  host::Deployment deployment_{this->bus_.io, clock_, random_};
  std::unique_ptr<host::SuiteConfig> suite_;
};
TYPED_TEST_SUITE(Teams, Buses, BusNames);

TYPED_TEST(Teams, say_the_same_with_the_same_models) {
  this->run([this](Runtime&) -> Task<> {
    co_await this->host_teams();
    const Talk heard = co_await this->talk("poets/alice");
    EXPECT_THAT(heard.lines, ElementsAre("turn_ended poet : a rose", "turn_ended critic : too short",
                                         "turn_ended poet : a rose is red", "turn_ended critic : APPROVE",
                                         "ended poets : text:APPROVE"));
    EXPECT_EQ(heard.pieces, "a rosetoo shorta rose is redAPPROVE");
    EXPECT_EQ(code_of(heard.answer), "ok");
    if (!heard.answer) co_return;
    EXPECT_EQ(heard.answer->text, "APPROVE");
    EXPECT_EQ(heard.answer->stop_reason, "text:APPROVE");
    EXPECT_GT(heard.answer->usage.output_tokens, 0U);
  });
}

TYPED_TEST(Teams, end_at_once_when_somebody_outside_stops_them_and_so_does_who_speaks) {
  this->run([this](Runtime& runtime) -> Task<> {
    co_await this->host_teams();
    std::string stopped;
    const auto stop = [&stopped, &runtime]() -> Task<> {
      const messages::Text why{"enough", ""};
      const Result<Payload> done =
          co_await runtime.client().request(target("dreamers/x!stop"), to_payload(why), within(5s));
      stopped = code_of(done);
    };
    const auto stop_the_sleeper = [this, &stop](const std::string& from) {
      if (from == "sleeper") asio::co_spawn(this->bus_.io, stop(), asio::detached);
    };
    const Talk heard = co_await this->talk("dreamers/x", stop_the_sleeper);
    EXPECT_THAT(heard.lines, ElementsAre("turn_ended poet : a rose",
                                         "participant_failed sleeper cancelled: the conversation was stopped",
                                         "ended dreamers : external:enough"));
    EXPECT_EQ(code_of(heard.answer), "ok");
    if (heard.answer) {
      EXPECT_EQ(heard.answer->text, "a rose");
    }
    Runtime& members = this->bus_.other();
    EXPECT_TRUE(
        co_await this->eventually([&members] { return members.stats()["sleeper"].outcomes["cancelled"] == 1; }));
    EXPECT_TRUE(co_await this->eventually([&stopped] { return stopped == "ok"; })) << stopped;
  });
}

}  // namespace
}  // namespace parley::conformance
