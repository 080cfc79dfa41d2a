// What a model call is likely to use, learned from the calls before it: for each pair of model and agent type, the 95th
// percentile of the last outputs, and by how much inputs were larger than guessed. Pure. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::ledger {

/// What is known of a call before it is made.
struct CallShape {
  std::uint64_t input_tokens = 0;       ///< guessed
  std::uint64_t max_output_tokens = 0;  ///< 0: the call has no limit of its own
};

struct TokenEstimate {
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  friend bool operator==(const TokenEstimate&, const TokenEstimate&) = default;
};

class Estimator {
 public:
  /// Outputs that are remembered of each pair.
  static constexpr std::size_t kSamples = 64;
  /// With fewer nothing is believed: the output is taken for `fallback_output`, or the call's own limit.
  static constexpr std::size_t kMinSamples = 5;
  /// Pairs that are remembered; the one used longest ago makes room.
  static constexpr std::size_t kMaxPairs = 4096;

  explicit Estimator(std::uint64_t fallback_output) : fallback_output_(fallback_output) {}

  [[nodiscard]] TokenEstimate estimate(std::string_view model, std::string_view agent_type,
                                       const CallShape& shape) const;
  /// A call has ended; `guessed_input` is what was guessed before it, 0 when nothing was.
  void learn(std::string_view model, std::string_view agent_type, std::uint64_t guessed_input,
             const TokenEstimate& real);

  [[nodiscard]] std::size_t pairs() const { return pairs_.size(); }

 private:
  struct Learned {
    std::vector<std::uint64_t> outputs;  ///< a ring of the last kSamples
    std::size_t next = 0;
    double input_factor = 1;
    std::uint64_t used = 0;
  };
  using Key = std::pair<std::string, std::string>;

  [[nodiscard]] std::uint64_t output_of(const Learned& learned) const;
  Learned& pair_of(std::string_view model, std::string_view agent_type);

  std::uint64_t fallback_output_;
  std::uint64_t uses_ = 0;
  std::map<Key, Learned> pairs_;
};

}  // namespace parley::ledger
