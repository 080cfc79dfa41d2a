// Turns what the conversations of one team tell into metrics. Loop thread only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "agents/teams/conversation_observer.hpp"
#include "monitoring/conversation_metrics.hpp"

namespace parley::host {

class ConversationCounts final : public teams::ConversationObserver {
 public:
  /// The metrics must outlive the observer.
  ConversationCounts(monitoring::ConversationMetrics& metrics, std::string agent_type)
      : metrics_(metrics), agent_type_(std::move(agent_type)) {
    metrics_.add(agent_type_);
  }

  void began() override { metrics_.began(agent_type_); }
  void ended(std::string_view reason, std::uint64_t rounds) override { metrics_.ended(agent_type_, reason, rounds); }
  void member_failed(teams::TurnAttempts::Decision::What decided) override {
    metrics_.member_failed(agent_type_, teams::to_string(decided));
  }

 private:
  monitoring::ConversationMetrics& metrics_;
  std::string agent_type_;
};

}  // namespace parley::host
