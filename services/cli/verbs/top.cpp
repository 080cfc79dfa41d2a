// parley top: agent types and workers, live.
#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <memory>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include "libmsg/runtime/run_all.hpp"
#include "services/cli/broker_query.hpp"
#include "services/cli/bus_session.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/supervisor_view.hpp"
#include "services/cli/top/frame.hpp"
#include "services/cli/top/keys.hpp"
#include "services/cli/top/terminal.hpp"
#include "services/cli/top/view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace top_verb {

constexpr std::chrono::milliseconds kShortestInterval{100};

struct Settings {
  std::chrono::milliseconds interval{1000};
  bool is_once = false;
};

/// The newest reports of the broker, and of the supervisors if there are any.
class Reports {
 public:
  explicit Reports(Bus& bus) : bus_(bus) {}

  Task<Result<top::Frame>> next() {
    wire::Query query{.what = "ps", .key = {}, .limit = 1000};
    const Result<wire::PsReport> report = co_await query_broker<wire::PsReport>(bus_.runtime, std::move(query));
    if (!report) co_return fail(report.error());
    const TimePoint now = bus_.clock.now();
    const std::vector<messages::SupervisorReport> supervisors = co_await ask_supervisors(bus_, *report);
    co_return sampler_.add(*report, supervisors, now);
  }

 private:
  Bus& bus_;
  top::Sampler sampler_;
};

Task<> wait_for(Bus& bus, std::chrono::milliseconds time) {
  asio::steady_timer timer(bus.io, time);
  co_await timer.async_wait(asio::use_awaitable);
}

/// Two reports, one interval apart, since rates need them.
Task<int> show_once(Bus& bus, const Settings& settings) {
  Reports reports(bus);
  Result<top::Frame> frame = co_await reports.next();
  if (frame) {
    co_await wait_for(bus, settings.interval);
    frame = co_await reports.next();
  }
  if (!frame) co_return bus.console.fail_answer(frame.error());
  if (bus.common.is_json) {
    bus.console.print(to_line(top::to_json(*frame)));
    co_return kDone;
  }
  for (const top::StyledLine& line : top::render_once(*frame, bus.console.style().width)) {
    bus.console.print(bus.console.style().has_color ? top::ansi_text(line, true) : top::plain_text(line));
  }
  co_return kDone;
}

/// The full-screen view: one coroutine polls the broker, one reads keys, one minds the window.
class LiveView {
 public:
  LiveView(Bus& bus, const Settings& settings)
      : bus_(bus),
        interval_(settings.interval),
        reports_(bus),
        keyboard_(bus.io),
        window_(bus.io, SIGWINCH, SIGTSTP),
        next_poll_(bus.io) {
    // A descriptor of its own: asio would close the one it is given.
    std::error_code failure;
    if (::isatty(STDIN_FILENO) == 1) (void)keyboard_.assign(::dup(STDIN_FILENO), failure);
  }

  Task<> poll() {
    while (!is_quitting_) {
      if (!state_.is_paused) co_await take_report();
      draw();
      next_poll_.expires_after(is_away() ? std::min(interval_, std::chrono::milliseconds(500)) : interval_);
      std::error_code woken;
      co_await next_poll_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }

  Task<> read_keys() {
    while (!is_quitting_ && keyboard_.is_open()) {
      std::error_code failure;
      co_await keyboard_.async_wait(asio::posix::descriptor_base::wait_read,
                                    asio::redirect_error(asio::use_awaitable, failure));
      const std::string typed = terminal_.read_keys();
      if (failure || typed.empty()) break;  // Nobody is at the keyboard any more.
      if (top::press(state_, typed, top::extent_of(frame_, state_, terminal_.size())) == top::Next::quit) quit();
      draw();
    }
  }

  Task<> watch_window() {
    while (!is_quitting_) {
      std::error_code failure;
      const int signal = co_await window_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
      if (failure) break;
      if (signal == SIGTSTP) terminal_.suspend();
      draw();
    }
  }

 private:
  [[nodiscard]] bool is_away() const { return away_since_.has_value(); }

  Task<> take_report() {
    Result<top::Frame> frame = fail(ErrorCode::unreachable, "");
    if (bus_.runtime.is_connected()) frame = co_await reports_.next();
    if (frame) {
      frame_ = std::move(*frame);
      away_since_.reset();
    } else if (!is_away()) {
      away_since_ = bus_.clock.now();
    }
  }

  void draw() {
    if (is_quitting_) return;
    top::Situation situation{.endpoint = endpoint_, .interval = interval_};
    if (away_since_) {
      situation.broker_away = std::chrono::duration_cast<std::chrono::milliseconds>(bus_.clock.now() - *away_since_);
    }
    terminal_.draw(top::render(frame_, state_, situation, terminal_.size()), bus_.console.style().has_color);
  }

  void quit() {
    is_quitting_ = true;
    next_poll_.cancel();
    window_.cancel();
  }

  Bus& bus_;
  std::chrono::milliseconds interval_;
  std::string endpoint_ = broker_endpoints(bus_.common).front();
  Reports reports_;
  top::Terminal terminal_;
  asio::posix::stream_descriptor keyboard_;
  asio::signal_set window_;
  asio::steady_timer next_poll_;
  top::ViewState state_;
  std::optional<top::Frame> frame_;
  std::optional<TimePoint> away_since_;
  bool is_quitting_ = false;
};

Task<int> show_live(Bus& bus, const Settings& settings) {
  LiveView view(bus, settings);
  std::vector<Task<>> tasks;
  tasks.push_back(view.poll());
  tasks.push_back(view.read_keys());
  tasks.push_back(view.watch_window());
  co_await run_all(bus.io.get_executor(), std::move(tasks));
  co_return kDone;
}

int run_top(Environment& environment, const Settings& settings) {
  if (settings.interval < kShortestInterval) {
    return environment.console.refuse_usage("--interval must be at least 100ms");
  }
  const bool is_live = !settings.is_once && !environment.common.is_json && top::Terminal::is_usable();
  BusOptions options{.purpose = "top"};
  options.works_without_broker = is_live;
  return run_on_bus(environment, std::move(options),
                    [&](Bus& bus) { return is_live ? show_live(bus, settings) : show_once(bus, settings); });
}

Run declare(Options& options) {
  auto settings = std::make_shared<Settings>();
  options.duration("--interval", settings->interval, "Time between two looks");
  options.flag("--once", settings->is_once, "Print one picture and end, as without a terminal; --json does so, too");
  return [settings](Environment& environment) { return run_top(environment, *settings); };
}

}  // namespace top_verb
}  // namespace

const Verb kTopVerb{"top", "Watch agent types and workers: rates, latency, health, tokens, cost",
                    "  parley top\n  parley top --once --json | jq '.types[] | {name, per_second, latency_p95_us}'",
                    Reach::bus, &top_verb::declare};

}  // namespace parley::cli
