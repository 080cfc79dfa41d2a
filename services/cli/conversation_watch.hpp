// Gives a task to an agent and shows, notes down and hands out what comes of it, part by part; asks the person at the
// terminal what the agents want to know. Loop thread.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <set>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/messages/questions.hpp"
#include "libmsg/runtime/runtime.hpp"
#include "services/cli/console.hpp"
#include "services/cli/line_source.hpp"
#include "services/cli/team_view.hpp"
#include "services/cli/transcript.hpp"

namespace parley::cli {

struct WatchOptions {
  AgentId agent;
  std::string task;
  std::chrono::milliseconds timeout;
  bool is_json = false;
  /// The suite hosts a question desk: its questions are shown, and answered from the terminal.
  bool has_questions = false;
  /// Said with a question that cannot be answered here: how another process reaches the bus. Empty: it cannot.
  std::string endpoint;
};

class ConversationWatch {
 public:
  /// All must outlive it.
  ConversationWatch(asio::io_context& io, Runtime& runtime, const Clock& clock, Console& console, WatchOptions options);

  /// Ends with the agent's answer or its failure; prints both. The exit code.
  Task<int> run();
  /// After run(), or after it was cancelled: the whole conversation.
  [[nodiscard]] Transcript& transcript() { return transcript_; }
  /// For a run that was cancelled.
  void interrupted();

 private:
  Task<Result<messages::Answer>> listen();
  Task<Result<messages::Answer>> listen_and_ask();
  Task<> ask_questions();
  Task<> ask(const messages::PendingQuestion& question);
  void show(const Payload& part);
  int print_answer(const Result<messages::Answer>& answer);
  void print_summary(std::string_view how, const messages::Usage& usage);

  asio::io_context& io_;
  Runtime& runtime_;
  const Clock& clock_;
  Console& console_;
  WatchOptions options_;
  Transcript transcript_;
  TeamView view_;
  LineSource lines_;
  std::set<std::string> asked_;
  TimePoint started_;
};

}  // namespace parley::cli
