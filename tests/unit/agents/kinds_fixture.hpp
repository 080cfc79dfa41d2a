// A local runtime with virtual time for tests of the kinds, and a user who talks to it.
#pragma once

#include <asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/kinds/assistant.hpp"
#include "agents/kinds/semantic_router.hpp"
#include "agents/kinds/user_proxy.hpp"
#include "libmsg/messages/conversation.hpp"
#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/local_runtime.hpp"
#include "tests/support/run_task.hpp"
#include "tests/unit/agents/scripted_model.hpp"

namespace parley::kinds {

using messages::Answer;
using messages::Routed;
using messages::Text;
using messages::TextPart;

/// A reply with the parts that came before it.
struct Heard {
  std::vector<std::string> parts;
  /// Parts and events in order, as `text: …` and `EVENT DETAIL: …`.
  std::vector<std::string> log;
  std::vector<messages::TeamEvent> events;
  Answer answer;
};

struct KindsFixture : testing::Test {
  KindsFixture() { EXPECT_TRUE(test::run_task(io, runtime.start())); }

  void host(std::string type, AgentFactory factory, TypeOptions options = {}) {
    const Result<> registered =
        test::run_task(io, runtime.register_type(std::move(type), std::move(factory), std::move(options)));
    ASSERT_TRUE(registered) << registered.error().message;
  }
  void host_closure(std::string type, Closure closure, std::vector<TopicFilter> topics = {}) {
    const Result<> registered =
        test::run_task(io, runtime.register_closure(std::move(type), std::move(closure), std::move(topics)));
    ASSERT_TRUE(registered) << registered.error().message;
  }

  template <TypedMessage Reply>
  Result<Reply> request(const std::string& target, const std::string& text) {
    return test::run_task(io, runtime.client().request<Reply>(*AgentId::parse(target), Text{text, "user"}));
  }

  Result<Heard> converse(const std::string& target, const std::string& text) {
    return hear(target, Text{text, "user"});
  }
  template <TypedMessage M>
  Result<Heard> hear(const std::string& target, const M& message) {
    return test::run_task(io, listen(target, to_payload(message)));
  }

  /// Until nothing is under way any more.
  void drain() { test::run_task(io, idle()); }

  asio::io_context io;
  ManualClock clock;
  LocalRuntime runtime{io, clock};

 private:
  Task<bool> idle() {
    co_await runtime.stop_when_idle();
    co_return true;
  }

  Task<Result<Heard>> listen(std::string target, Payload message) {
    Heard heard;
    Result<ReplyStream> stream = co_await runtime.client().request_stream(*AgentId::parse(target), message);
    if (!stream) co_return fail(stream.error());
    for (;;) {
      Result<std::optional<Payload>> piece = co_await stream->next();
      if (!piece) co_return fail(piece.error());
      if (!*piece) break;
      if (Result<messages::TeamEvent> event = from_payload<messages::TeamEvent>(**piece)) {
        heard.log.push_back(event->event + " " + event->detail + ": " + event->text);
        heard.events.push_back(std::move(*event));
        continue;
      }
      const Result<TextPart> part = from_payload<TextPart>(**piece);
      if (!part) co_return fail(part.error());
      heard.parts.push_back(part->text);
      heard.log.push_back("text: " + part->text);
    }
    Result<Answer> answer = from_payload<Answer>(stream->reply());
    if (!answer) co_return fail(answer.error());
    heard.answer = std::move(*answer);
    co_return heard;
  }
};

}  // namespace parley::kinds
