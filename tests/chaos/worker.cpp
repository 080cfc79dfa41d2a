#include "tests/chaos/worker.hpp"

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/text.hpp"
#include "libmsg/runtime/run_worker.hpp"

namespace parley::chaos {
namespace {

/// Longer than a heartbeat takes to tell what is being executed.
constexpr std::chrono::milliseconds kBeforeCrash{2500};

class Troublemaker final : public TypedAgent<Troublemaker, messages::Text> {
 public:
  Task<Result<messages::Text>> on(const messages::Text& message, Context& context) {
    const std::string text = message.text;
    if (text == "spin") {
      const std::atomic<bool> is_over = false;
      while (!is_over) {
      }
    }
    // A call that nothing ends, not even its deadline.
    while (text == "hang") (void)co_await context.sleep(std::chrono::hours(1));
    if (text == "crash") {
      (void)co_await context.sleep(kBeforeCrash);
      std::abort();
    }
    co_return messages::Text{text, context.self().str()};
  }
};

}  // namespace

int run_chaos_worker(int argc, char** argv) {
  std::string type = kEchoType;
  TypeOptions options;
  bool has_to_crash = false;
  std::vector<char*> others;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--crash") {
      has_to_crash = true;
    } else if (std::string_view(argv[i]) == "--type" && i + 1 < argc) {
      type = argv[++i];
    } else if (std::string_view(argv[i]) == "--progress" && i + 1 < argc) {
      options.progress_timeout = std::chrono::milliseconds(std::atoi(argv[++i]));
    } else {
      others.push_back(argv[i]);
    }
  }
  if (has_to_crash) {
    std::cerr << "crashing, as told" << std::endl;
    std::abort();
  }
  const WorkerSetup setup = [&](Runtime& runtime) -> Task<Result<>> {
    return runtime.register_type(type, [](const AgentId&) { return std::make_unique<Troublemaker>(); }, options);
  };
  return run_worker(static_cast<int>(others.size()), others.data(), type, setup);
}

}  // namespace parley::chaos
