#include "services/cli/environment.hpp"

#include <cstdlib>

#include "libmsg/net/endpoint.hpp"

namespace parley::cli {
namespace {

std::optional<std::string> named_broker(const CommonOptions& common) {
  if (common.broker) return common.broker;
  const char* variable = std::getenv("PARLEY_BROKER");
  if (variable != nullptr && *variable != '\0') return variable;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> broker_endpoints(const CommonOptions& common) {
  const std::string text = named_broker(common).value_or(net::default_endpoint());
  std::vector<std::string> endpoints;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    endpoints.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return endpoints;
}

bool is_broker_named(const CommonOptions& common) { return named_broker(common).has_value(); }

}  // namespace parley::cli
