// What a scenario has shown: promises with the number that was reached, and whether all of them were kept. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libmsg/core/clock.hpp"

namespace parley::chaos {

struct Promise {
  std::string what;
  std::string reached;
  std::string limit;
  bool is_kept = false;
};

struct ScenarioReport {
  std::string name;
  std::string about;
  /// Settings that differ from the defaults, so that nobody is misled.
  std::string settings;
  std::vector<Promise> promises;
  Duration took{};
  [[nodiscard]] bool is_passed() const;
};

/// Times, for their percentiles.
class Samples {
 public:
  void add(Duration sample) { samples_.push_back(sample); }
  [[nodiscard]] std::size_t size() const { return samples_.size(); }
  /// Zero without samples.
  [[nodiscard]] Duration percentile(double percent) const;

 private:
  std::vector<Duration> samples_;
};

[[nodiscard]] std::string milliseconds_text(Duration duration);
/// `what` must not take longer than `limit`, at the given percentile.
[[nodiscard]] Promise promise_time(std::string what, const Samples& samples, double percent, Duration limit);
[[nodiscard]] Promise promise_none(std::string what, std::uint64_t count, const std::string& examples = "");
[[nodiscard]] Promise promise(std::string what, bool is_kept, std::string reached);

void print_report(const ScenarioReport& report);
void print_json(const ScenarioReport& report);

}  // namespace parley::chaos
