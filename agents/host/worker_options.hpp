// The command line of parley-agent, and the configuration that it names. Main thread, before anything else runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "agents/host/agents_config.hpp"
#include "monitoring/log.hpp"
#include "services/config/command_line.hpp"

namespace parley::host {

struct WorkerOptions {
  AgentsConfig config;
  /// One endpoint per shard; never empty.
  std::vector<std::string> brokers;
  std::string metrics_address = "127.0.0.1";
  std::uint16_t metrics_port = 0;
  bool is_insecure_allowed = false;
  /// How long the start waits for a broker; none: as long as it takes.
  std::optional<std::chrono::milliseconds> connect_timeout;
  /// How long a stop waits for turns under way. Kubernetes kills 30 s after it has asked, unless told otherwise.
  std::chrono::milliseconds drain_timeout{20'000};
  monitoring::LogOptions log;
};

/// Flags win over PARLEY_BROKER, that over the file, that over the defaults.
[[nodiscard]] std::expected<WorkerOptions, config::EarlyExit> read_worker_options(int argc, const char* const* argv);

}  // namespace parley::host
