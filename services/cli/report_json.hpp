// The broker's reports as JSON, with the field names of PROTOCOL.md. Pure; any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "libmsg/wire/control.hpp"

namespace parley::cli {

[[nodiscard]] nlohmann::json to_json(const wire::PsReport& report);
[[nodiscard]] nlohmann::json activation_to_json(const wire::ActivationVitals& activation);
[[nodiscard]] nlohmann::json to_json(const wire::TraceHop& hop);
[[nodiscard]] nlohmann::json to_json(const wire::DeadLetterRow& row);

/// `2026-11-20T19:33:05.120Z` from milliseconds since 1970.
[[nodiscard]] std::string format_wall_ms(std::uint64_t at_ms);

}  // namespace parley::cli
