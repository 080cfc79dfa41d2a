#include "services/cli/where_view.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <spdlog/fmt/fmt.h>
#include <string_view>

#include "services/cli/console.hpp"
#include "services/cli/error_view.hpp"
#include "services/cli/figures.hpp"
#include "services/cli/report_json.hpp"

namespace parley::cli {
namespace {

std::string line_of(std::string_view name, const std::string& text) { return fmt::format("  {:<14}{}", name, text); }

std::string count_of(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// What wall clocks of two machines make of the future is now.
std::string ago(std::uint64_t at_ms, std::uint64_t now_ms) {
  if (at_ms == 0) return "none yet";
  const std::uint64_t age_ms = now_ms > at_ms ? now_ms - at_ms : 0;
  return format_age(std::chrono::milliseconds(age_ms)) + " ago";
}

std::string under_way(const wire::ActivationVitals& vitals) {
  if (vitals.inflight == 0) return "nothing";
  std::string text = count_of(vitals.inflight, "turn");
  if (vitals.without_progress_ms > 0) {
    text += fmt::format(", {} without progress", format_latency(vitals.without_progress_ms * 1000));
  }
  return text;
}

std::string waiting(const wire::ActivationVitals& vitals) {
  if (vitals.waiting == 0) return "nothing";
  return fmt::format("{}, the oldest for {}", count_of(vitals.waiting, "message"),
                     format_latency(vitals.oldest_waiting_ms * 1000));
}

std::vector<std::string> lines_of(const wire::ActivationVitals& vitals, std::uint64_t now_ms) {
  return {
      line_of("under way", under_way(vitals)),
      line_of("waiting", waiting(vitals)),
      line_of("turns", fmt::format("{} ended well, {} failed ({} in a row)", vitals.successes, vitals.failures,
                                   vitals.consecutive_failures)),
      line_of("its model", fmt::format("{} ({} in a row)", count_of(vitals.model_failures, "failure"),
                                       vitals.consecutive_model_failures)),
      line_of("last turns", fmt::format("{} on average, {} at p95", format_latency(vitals.latency_avg_us),
                                        format_latency(vitals.latency_p95_us))),
      line_of("last activity", ago(vitals.last_activity_ms, now_ms)),
  };
}

}  // namespace

std::vector<std::string> render_where(const wire::WhereReport& place, const ToldActivation& told,
                                      std::uint64_t now_ms) {
  if (place.worker.empty()) return {printable(fmt::format("{} lives nowhere now", place.id))};
  std::vector<std::string> lines{printable(fmt::format("{} lives on {}", place.id, place.worker))};
  if (told) {
    std::ranges::move(lines_of(told->vitals, now_ms), std::back_inserter(lines));
  } else {
    const Error& error = told.error();
    lines.push_back(printable(fmt::format("  how it is was not told: {} ({})", error.message, to_string(error.code))));
  }
  return lines;
}

nlohmann::json where_to_json(const wire::WhereReport& place, const ToldActivation& told) {
  nlohmann::json shown{{"id", place.id},
                       {"worker", place.worker},
                       {"epoch", place.epoch},
                       {"activation", nullptr},
                       {"not_told", nullptr}};
  if (place.worker.empty()) return shown;
  if (told) {
    shown["activation"] = activation_to_json(told->vitals);
  } else {
    shown["not_told"] = error_to_json(told.error());
  }
  return shown;
}

}  // namespace parley::cli
