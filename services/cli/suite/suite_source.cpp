#include "services/cli/suite/suite_source.hpp"

#include <fstream>
#include <spdlog/fmt/fmt.h>

#include "agents/host/price_check.hpp"
#include "services/cli/payload_view.hpp"
#include "services/config/yaml.hpp"

namespace parley::cli {
namespace {

constexpr const char* kEmbeddedName = "helpdesk.yaml";

}  // namespace

config::Loaded<host::SuiteConfig> load_suite(const std::optional<std::string>& file,
                                             const std::vector<std::string>& models) {
  const auto overrides = host::read_model_overrides(models);
  if (!overrides) return std::unexpected(overrides.error());
  if (file) return host::load_suite(*file, *overrides);
  auto document = config::parse_yaml(embedded_helpdesk(), kEmbeddedName);
  if (!document) return std::unexpected(document.error());
  host::override_models(*document, *overrides);
  return host::read_suite(*document, *overrides);
}

Result<host::SuiteConfig> write_embedded_suite(const std::filesystem::path& folder,
                                               const std::vector<std::string>& models) {
  const auto path = folder / kEmbeddedName;
  std::ofstream file(path, std::ios::trunc);
  file << embedded_helpdesk() << std::flush;
  if (!file) return fail(ErrorCode::bad_configuration, fmt::format("cannot write {}", path.string()));
  auto suite = load_suite(path.string(), models);
  if (!suite) return fail(suite.error().error());
  return std::move(*suite);
}

void warn_of_prices(const Environment& environment, const host::SuiteConfig& suite) {
  for (const std::string& warning : host::price_warnings(suite)) {
    environment.console.note(printable("warning: " + warning));
  }
}

}  // namespace parley::cli
