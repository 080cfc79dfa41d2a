#include "services/cli/figures.hpp"

#include <array>
#include <spdlog/fmt/fmt.h>

namespace parley::cli {
namespace {

/// One decimal below 100, none above.
std::string scaled(double value, char unit) {
  return value < 99.95 ? fmt::format("{:.1f}{}", value, unit) : fmt::format("{:.0f}{}", value, unit);
}

/// 10,000 or more.
std::string with_unit(double value) {
  constexpr std::array kUnits{'k', 'M', 'G', 'T'};
  std::size_t unit = 0;
  value /= 1000;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return scaled(value, kUnits[unit]);
}

}  // namespace

std::string format_count(std::uint64_t count) {
  return count < 10'000 ? std::to_string(count) : with_unit(static_cast<double>(count));
}

std::string format_rate(const std::optional<double>& per_second) { return per_second ? format_rate(*per_second) : "-"; }

std::string format_rate(double per_second) {
  if (per_second < 0.05) return "0";
  if (per_second < 9.95) return fmt::format("{:.1f}", per_second);
  if (per_second < 9999.5) return fmt::format("{:.0f}", per_second);
  return with_unit(per_second);
}

std::string format_latency(std::uint64_t micros) {
  if (micros == 0) return "-";
  if (micros < 1000) return fmt::format("{}µs", micros);
  const double ms = static_cast<double>(micros) / 1e3;
  if (ms < 9.95) return fmt::format("{:.1f}ms", ms);
  if (ms < 999.5) return fmt::format("{:.0f}ms", ms);
  const double seconds = ms / 1e3;
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  if (seconds < 119.5) return fmt::format("{:.0f}s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  return fmt::format("{}m{:02}", whole / 60, whole % 60);
}

std::string format_cost(std::uint64_t nano_usd) {
  if (nano_usd == 0) return "$0";
  const double dollars = static_cast<double>(nano_usd) / 1e9;
  if (dollars < 0.00005) return "<$0.0001";
  if (dollars < 0.1) return fmt::format("${:.4f}", dollars);
  if (dollars < 999.995) return fmt::format("${:.2f}", dollars);
  return "$" + with_unit(dollars);
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes == 0) return "-";
  const double kib = static_cast<double>(bytes) / 1024;
  if (kib < 1023.5) return fmt::format("{:.0f}K", kib);
  if (kib < 1023.5 * 1024) return fmt::format("{:.0f}M", kib / 1024);
  return fmt::format("{:.1f}G", kib / 1024 / 1024);
}

std::string format_age(std::chrono::milliseconds age) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3600 % 24);
}

}  // namespace parley::cli
