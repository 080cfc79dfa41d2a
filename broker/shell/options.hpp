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

namespace parley::broker {

struct BrokerOptions {
  std::vector<net::Endpoint> listen;
  /// Empty: nothing is kept between runs.
  std::string state_dir;
  /// Absent: no health page.
  std::optional<std::uint16_t> metrics_port;
  std::string metrics_address = "127.0.0.1";
  /// How long a stop waits for what is in flight.
  std::chrono::milliseconds drain_timeout{5000};
  CoreConfig core;
  monitoring::LogOptions log;
};

/// The process ends here: with help or the version (status 0), or with what is wrong (status 2).
struct EarlyExit {
  int status = 0;
  std::string text;
};

[[nodiscard]] std::expected<BrokerOptions, EarlyExit> read_options(int argc, const char* const* argv);

}  // namespace parley::broker
