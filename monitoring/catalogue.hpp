// Every metric of Parley: name, type, labels and one sentence. monitoring/METRICS.md says more about each, and a test
// compares the two with what the programs really export. Constants; any thread.
#pragma once

#include <span>
#include <string_view>

namespace parley::monitoring {

struct MetricInfo {
  std::string_view name;
  std::string_view type;    ///< `counter`, `gauge` or `histogram`
  std::string_view labels;  ///< names joined by `, `; empty for none
  std::string_view help;
};

/// In the order of METRICS.md.
[[nodiscard]] std::span<const MetricInfo> metric_catalogue();

/// The help text of a metric; empty for a name that is not in the catalogue.
[[nodiscard]] std::string_view metric_help(std::string_view name);

}  // namespace parley::monitoring
