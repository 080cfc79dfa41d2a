// What a worker process tells Prometheus about the MCP servers of its configuration: requests, how long they take, and
// whether there is a connection. One set of series for each server; OpenTelemetry's name where its conventions have
// one.
//
// Used by WorkerMetrics, whose thread rule holds: one thread at a time; the metrics page may collect meanwhile.
#pragma once

#include <array>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"

namespace parley::monitoring {

class McpMetrics {
 public:
  /// In the order of mcp::RequestOutcome.
  static constexpr std::array<std::string_view, 7> kOutcomes{"ok",          "rejected",     "timeout", "cancelled",
                                                             "unreachable", "unauthorized", "failed"};
  /// What a client asks; anything else counts as the last.
  static constexpr std::array<std::string_view, 5> kMethods{"tools/call", "tools/list", "initialize", "server/discover",
                                                            "other"};

  /// Of one server; valid as long as the metrics.
  struct Series {
    std::array<prometheus::Counter*, kOutcomes.size()> requests{};
    std::array<prometheus::Histogram*, kMethods.size()> durations{};
    prometheus::Counter* connections = nullptr;
    prometheus::Gauge* connected = nullptr;
    void observe(std::string_view method, std::size_t outcome, Duration latency);
  };

  /// The registry must outlive it.
  explicit McpMetrics(prometheus::Registry& registry);

  /// The series of a server by its name in the configuration; they appear with 0.
  Series& series_of(std::string_view server);

 private:
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& durations_;
  prometheus::Family<prometheus::Counter>& connections_;
  prometheus::Family<prometheus::Gauge>& connected_;
  std::map<std::string, Series, std::less<>> series_;
};

}  // namespace parley::monitoring
