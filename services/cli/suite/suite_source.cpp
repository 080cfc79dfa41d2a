#include "services/cli/suite/suite_source.hpp"

#include <fstream>
#include <spdlog/fmt/fmt.h>

#include "services/config/yaml.hpp"

namespace parley::cli {
namespace {

constexpr const char* kEmbeddedName = "helpdesk.yaml";

}  // namespace

config::Loaded<host::SuiteConfig> load_suite(const std::optional<std::string>& file) {
  if (file) return host::load_suite(*file);
  const auto document = config::parse_yaml(embedded_helpdesk(), kEmbeddedName);
  if (!document) return std::unexpected(document.error());
  return host::read_suite(*document);
}

Result<host::SuiteConfig> write_embedded_suite(const std::filesystem::path& folder) {
  const auto path = folder / kEmbeddedName;
  std::ofstream file(path, std::ios::trunc);
  file << embedded_helpdesk() << std::flush;
  if (!file) return fail(ErrorCode::bad_configuration, fmt::format("cannot write {}", path.string()));
  auto suite = host::load_suite(path);
  if (!suite) return fail(suite.error().error());
  return std::move(*suite);
}

}  // namespace parley::cli
