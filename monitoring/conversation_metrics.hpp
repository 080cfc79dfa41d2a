// What a worker process tells Prometheus about the conversations that its teams manage: how many run, why they end, how
// long they are, and what becomes of members' failures.
//
// Used by WorkerMetrics, whose thread rule holds: one thread at a time; the metrics page may collect meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <string_view>

namespace parley::monitoring {

class ConversationMetrics {
 public:
  /// The registry must outlive it.
  explicit ConversationMetrics(prometheus::Registry& registry);

  /// Makes the series of a team appear with 0. What is told of agent types that were not added, or were removed, is
  /// ignored.
  void add(std::string_view agent_type);
  void remove_agent_type(std::string_view agent_type);

  void began(std::string_view agent_type);
  /// `reason` and `policy` are of closed sets (METRICS.md).
  void ended(std::string_view agent_type, std::string_view reason, std::uint64_t rounds);
  void member_failed(std::string_view agent_type, std::string_view policy);

 private:
  using Counters = std::map<std::string, prometheus::Counter*, std::less<>>;
  struct Series {
    prometheus::Gauge* running = nullptr;
    prometheus::Histogram* rounds = nullptr;
    Counters finished;  ///< by reason
    Counters failures;  ///< by policy
  };

  Series* find(std::string_view agent_type);
  static prometheus::Counter& counter_of(prometheus::Family<prometheus::Counter>& family, Counters& counters,
                                         std::string_view agent_type, const std::string& label, std::string_view value);

  prometheus::Family<prometheus::Gauge>& running_;
  prometheus::Family<prometheus::Counter>& finished_;
  prometheus::Family<prometheus::Histogram>& rounds_;
  prometheus::Family<prometheus::Counter>& failures_;
  std::map<std::string, Series, std::less<>> teams_;
};

}  // namespace parley::monitoring
