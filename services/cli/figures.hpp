// Numbers as people read them at a glance, in few characters: `ps`, `top`. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace parley::cli {

/// `0`, `9999`, `12.3k`, `4.5M`: at most five characters up to 999 G.
[[nodiscard]] std::string format_count(std::uint64_t count);
/// `0`, `0.4`, `7.2`, `340`, `12.3k`.
[[nodiscard]] std::string format_rate(double per_second);
/// The same, `-` for a rate that is not known yet.
[[nodiscard]] std::string format_rate(const std::optional<double>& per_second);
/// `-` for zero, `340µs`, `1.2ms`, `56ms`, `1.5s`, `12s`, `2m05`.
[[nodiscard]] std::string format_latency(std::uint64_t micros);
/// Of billionths of a dollar: `$0`, `$0.0004`, `$0.12`, `$12.30`, `$1.2k`.
[[nodiscard]] std::string format_cost(std::uint64_t nano_usd);
/// `512K`, `38M`, `1.2G`; `-` for zero.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// `12s`, `5m03s`, `7h12m`, `4d06h`.
[[nodiscard]] std::string format_age(std::chrono::milliseconds age);

}  // namespace parley::cli
