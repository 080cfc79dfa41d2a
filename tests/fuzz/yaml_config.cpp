// Configuration files: whatever the bytes are, the readers give a configuration or problems, within bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agents/host/agents_config.hpp"
#include "services/config/yaml.hpp"

namespace {

using parley::config::YamlNode;

std::size_t nodes_of(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += nodes_of(item);
  for (const auto& entry : node.entries) count += nodes_of(entry.value);
  return count;
}

std::size_t depth_of(const YamlNode& node) {
  std::size_t depth = 0;
  for (const YamlNode& item : node.items) depth = std::max(depth, depth_of(item));
  for (const auto& entry : node.entries) depth = std::max(depth, depth_of(entry.value));
  return depth + 1;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The folder does not exist, so that no file that the text names is found.
  const auto document = parley::config::parse_yaml(text, "/nonexistent/fuzz.yaml");
  if (!document) {
    require(document.error().count() > 0);
    return 0;
  }
  require(nodes_of(document->root) <= parley::config::kMaxYamlNodes);
  require(depth_of(document->root) <= parley::config::kMaxYamlDepth);
  const auto agents = parley::host::read_agents(*document);
  require(agents ? !agents->agents.empty() : agents.error().count() > 0);
  const auto suite = parley::host::read_suite(*document);
  require(suite ? !suite->workers.empty() : suite.error().count() > 0);
  return 0;
}
