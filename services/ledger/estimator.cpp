#include "services/ledger/estimator.hpp"

#include <algorithm>
#include <cmath>

namespace parley::ledger {
namespace {

/// Of a new call on the correction of inputs: ten calls make most of it.
constexpr double kWeight = 0.2;
// A tokenizer is never farther off than this; what is, was no input of ours.
constexpr double kLeastFactor = 0.25;
constexpr double kMostFactor = 8;
constexpr double kPercentile = 0.95;

}  // namespace

std::uint64_t Estimator::output_of(const Learned& learned) const {
  if (learned.outputs.size() < kMinSamples) return fallback_output_;
  std::vector<std::uint64_t> outputs = learned.outputs;
  const auto rank = static_cast<std::size_t>(std::ceil(kPercentile * static_cast<double>(outputs.size()))) - 1;
  std::ranges::nth_element(outputs, outputs.begin() + static_cast<std::ptrdiff_t>(rank));
  return std::max<std::uint64_t>(1, outputs[rank]);
}

TokenEstimate Estimator::estimate(std::string_view model, std::string_view agent_type, const CallShape& shape) const {
  const auto known = pairs_.find(Key(model, agent_type));
  TokenEstimate estimate{shape.input_tokens, fallback_output_};
  if (known != pairs_.end()) {
    estimate.output_tokens = output_of(known->second);
    estimate.input_tokens =
        static_cast<std::uint64_t>(std::ceil(static_cast<double>(shape.input_tokens) * known->second.input_factor));
  }
  if (shape.max_output_tokens > 0) {
    estimate.output_tokens = std::min(estimate.output_tokens, shape.max_output_tokens);
  }
  return estimate;
}

Estimator::Learned& Estimator::pair_of(std::string_view model, std::string_view agent_type) {
  Key key(model, agent_type);
  if (pairs_.size() >= kMaxPairs && !pairs_.contains(key)) {
    pairs_.erase(std::ranges::min_element(pairs_, {}, [](const auto& pair) { return pair.second.used; }));
  }
  Learned& learned = pairs_[std::move(key)];
  learned.used = ++uses_;
  return learned;
}

void Estimator::learn(std::string_view model, std::string_view agent_type, std::uint64_t guessed_input,
                      const TokenEstimate& real) {
  // An answer from a cache says nothing about what the next call will use.
  if (real.input_tokens == 0 && real.output_tokens == 0) return;
  Learned& learned = pair_of(model, agent_type);
  if (learned.outputs.size() < kSamples) {
    learned.outputs.push_back(real.output_tokens);
  } else {
    learned.outputs[learned.next] = real.output_tokens;
    learned.next = (learned.next + 1) % kSamples;
  }
  if (guessed_input == 0 || real.input_tokens == 0) return;
  const double factor = std::clamp(static_cast<double>(real.input_tokens) / static_cast<double>(guessed_input),
                                   kLeastFactor, kMostFactor);
  learned.input_factor += kWeight * (factor - learned.input_factor);
}

}  // namespace parley::ledger
