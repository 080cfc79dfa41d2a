#include "services/cli/activation_view.hpp"

#include <chrono>
#include <spdlog/fmt/fmt.h>
#include <string_view>

#include "services/cli/figures.hpp"

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

}  // namespace

std::vector<std::string> render_activation(const wire::ActivationVitals& vitals, std::uint64_t now_ms) {
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

}  // namespace parley::cli
