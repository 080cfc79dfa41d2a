#include "monitoring/conversation_metrics.hpp"

#include <utility>

#include "monitoring/metric_family.hpp"

namespace parley::monitoring {
namespace {

const prometheus::Histogram::BucketBoundaries kRounds{1, 2, 3, 5, 8, 13, 20, 30, 50, 100};
const std::string kReasonLabel = "reason";
const std::string kPolicyLabel = "policy";
/// What an alert may look at exists before it happens; the other reasons appear with the first such end.
constexpr std::string_view kBadEnds[] = {"aborted", "failed"};
constexpr std::string_view kPolicies[] = {"retry", "replace", "skip", "abort"};

}  // namespace

ConversationMetrics::ConversationMetrics(prometheus::Registry& registry)
    : running_(gauge_family(registry, "parley_conversation_running")),
      finished_(counter_family(registry, "parley_conversation_finished_total")),
      rounds_(histogram_family(registry, "parley_conversation_rounds")),
      failures_(counter_family(registry, "parley_conversation_member_failures_total")) {}

void ConversationMetrics::add(std::string_view agent_type) {
  if (teams_.contains(agent_type)) return;
  const prometheus::Labels labels{{"agent_type", std::string(agent_type)}};
  Series series;
  series.running = &running_.Add(labels);
  series.rounds = &rounds_.Add(labels, kRounds);
  for (const std::string_view reason : kBadEnds) {
    counter_of(finished_, series.finished, agent_type, kReasonLabel, reason);
  }
  for (const std::string_view policy : kPolicies) {
    counter_of(failures_, series.failures, agent_type, kPolicyLabel, policy);
  }
  teams_.emplace(agent_type, std::move(series));
}

void ConversationMetrics::remove_agent_type(std::string_view agent_type) {
  const auto known = teams_.find(agent_type);
  if (known == teams_.end()) return;
  running_.Remove(known->second.running);
  rounds_.Remove(known->second.rounds);
  for (const auto& [reason, counter] : known->second.finished) finished_.Remove(counter);
  for (const auto& [policy, counter] : known->second.failures) failures_.Remove(counter);
  teams_.erase(known);
}

void ConversationMetrics::began(std::string_view agent_type) {
  if (Series* const series = find(agent_type)) series->running->Increment();
}

void ConversationMetrics::ended(std::string_view agent_type, std::string_view reason, std::uint64_t rounds) {
  Series* const series = find(agent_type);
  if (series == nullptr) return;
  series->running->Decrement();
  series->rounds->Observe(static_cast<double>(rounds));
  counter_of(finished_, series->finished, agent_type, kReasonLabel, reason).Increment();
}

void ConversationMetrics::member_failed(std::string_view agent_type, std::string_view policy) {
  Series* const series = find(agent_type);
  if (series != nullptr) counter_of(failures_, series->failures, agent_type, kPolicyLabel, policy).Increment();
}

ConversationMetrics::Series* ConversationMetrics::find(std::string_view agent_type) {
  const auto known = teams_.find(agent_type);
  return known == teams_.end() ? nullptr : &known->second;
}

prometheus::Counter& ConversationMetrics::counter_of(prometheus::Family<prometheus::Counter>& family,
                                                     Counters& counters, std::string_view agent_type,
                                                     const std::string& label, std::string_view value) {
  if (const auto known = counters.find(value); known != counters.end()) return *known->second;
  prometheus::Counter& made = family.Add({{"agent_type", std::string(agent_type)}, {label, std::string(value)}});
  counters.emplace(value, &made);
  return made;
}

}  // namespace parley::monitoring
