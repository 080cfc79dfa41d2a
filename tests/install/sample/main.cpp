// A project outside the repository: one typed agent, hosted in this process, and one request to it.
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "libmsg/runtime/local_runtime.hpp"
#include "libmsg/runtime/run.hpp"

struct Question {
  static constexpr std::string_view kTypeName = "shop.Question";
  std::string text;
  PARLEY_FIELDS(text)
};

struct Answer {
  static constexpr std::string_view kTypeName = "shop.Answer";
  std::string text;
  PARLEY_FIELDS(text)
};

class Clerk : public parley::TypedAgent<Clerk, Question> {
 public:
  parley::Task<parley::Result<Answer>> on(const Question& question, parley::Context&) {
    co_return Answer{"You asked: " + question.text};
  }
};

parley::Task<parley::Result<std::string>> ask(parley::LocalRuntime& runtime) {
  if (auto started = co_await runtime.start(); !started) co_return parley::fail(started.error());
  auto made = co_await runtime.register_type("clerk", [](const parley::AgentId&) { return std::make_unique<Clerk>(); });
  if (!made) co_return parley::fail(made.error());
  auto id = parley::AgentId::make("clerk", "desk-1");
  if (!id) co_return parley::fail(id.error());
  const Question question{"open today?"};
  auto answer = co_await runtime.client().request<Answer>(*id, question);
  co_await runtime.stop();
  if (!answer) co_return parley::fail(answer.error());
  co_return answer->text;
}

int main() {
  asio::io_context io;
  parley::LocalRuntime runtime(io);
  const auto answer = parley::run_until(io, ask(runtime));
  std::puts(answer ? answer->c_str() : answer.error().message.c_str());
  return answer && *answer == "You asked: open today?" ? 0 : 1;
}
