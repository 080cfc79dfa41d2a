// The command line of parley-broker and its optional YAML file, checked as a whole before anything starts. A flag wins
// over the file. Main thread, at start.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/core.hpp"
#include "libmsg/net/endpoint.hpp"
#include "monitoring/log.hpp"
#include "services/config/command_line.hpp"

namespace parley::broker {

struct BrokerOptions {
  std::vector<net::Endpoint> listen;
  /// Empty: nothing is kept between runs.
  std::string state_dir;
  /// Absent: no health page.
  std::optional<std::uint16_t> metrics_port;
  std::string metrics_address = "127.0.0.1";
  /// Allows endpoints and metrics pages beyond this machine although nothing is encrypted.
  bool is_insecure_allowed = false;
  /// How long a stop waits for what is in flight.
  std::chrono::milliseconds drain_timeout{5000};
  CoreConfig core;
  monitoring::LogOptions log;
};

[[nodiscard]] std::expected<BrokerOptions, config::EarlyExit> read_options(int argc, const char* const* argv);

}  // namespace parley::broker
