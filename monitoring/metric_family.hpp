// Families of a prometheus-cpp registry, with the help texts of the catalogue. Thread: any (prometheus-cpp locks).
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"
#include "monitoring/catalogue.hpp"

namespace parley::monitoring {

inline prometheus::Family<prometheus::Counter>& counter_family(prometheus::Registry& registry, std::string_view name) {
  return prometheus::BuildCounter().Name(std::string(name)).Help(std::string(metric_help(name))).Register(registry);
}

inline prometheus::Family<prometheus::Gauge>& gauge_family(prometheus::Registry& registry, std::string_view name) {
  return prometheus::BuildGauge().Name(std::string(name)).Help(std::string(metric_help(name))).Register(registry);
}

inline prometheus::Family<prometheus::Histogram>& histogram_family(prometheus::Registry& registry,
                                                                   std::string_view name) {
  return prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(metric_help(name))).Register(registry);
}

/// Prometheus counts time in seconds.
inline double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace parley::monitoring
