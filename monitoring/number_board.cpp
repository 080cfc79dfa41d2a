#include "monitoring/number_board.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <string_view>

#include "monitoring/catalogue.hpp"

namespace parley::monitoring {
namespace {

/// `name{a="x",b="y"}` in its parts. Names come from our own core, so that nothing else needs to be understood.
std::pair<std::string, std::vector<prometheus::ClientMetric::Label>> split_labels(std::string_view text) {
  const std::size_t brace = text.find('{');
  std::vector<prometheus::ClientMetric::Label> labels;
  if (brace == std::string_view::npos) return {std::string(text), std::move(labels)};
  std::string_view rest = text.substr(brace + 1);
  for (;;) {
    const std::size_t equals = rest.find("=\"");
    if (equals == std::string_view::npos) break;
    const std::size_t end = rest.find('"', equals + 2);
    if (end == std::string_view::npos) break;
    prometheus::ClientMetric::Label label;
    label.name = std::string(rest.substr(0, equals));
    label.value = std::string(rest.substr(equals + 2, end - equals - 2));
    labels.push_back(std::move(label));
    rest.remove_prefix(end + 1);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  return {std::string(text.substr(0, brace)), std::move(labels)};
}

}  // namespace

std::vector<prometheus::MetricFamily> NumberBoard::Collect() const {
  const std::lock_guard lock(mutex_);
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [text, value] : snapshot_) {
    auto [name, labels] = split_labels(text);
    const bool is_counter = name.ends_with("_total");
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    (is_counter ? metric.counter.value : metric.gauge.value) = value;
    if (families.empty() || families.back().name != name) {
      families.push_back({name,
                          std::string(metric_help(name)),
                          is_counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge,
                          {}});
    }
    families.back().metric.push_back(std::move(metric));
  }
  return families;
}

void NumberBoard::replace(std::vector<std::pair<std::string, double>> snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
}

}  // namespace parley::monitoring
