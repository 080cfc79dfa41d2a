// parley version.
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "libmsg/wire/bundle.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/payload_view.hpp"
#include "services/cli/verbs/verbs.hpp"

namespace parley::cli {
namespace {
namespace version_verb {

int run_version(Environment& environment) {
  constexpr int kProtocol = wire::kProtocolVersion;
  if (environment.common.is_json) {
    environment.console.print(to_line({{"version", PARLEY_VERSION}, {"protocol", kProtocol}}));
  } else {
    environment.console.print(fmt::format("parley {} (protocol {})", PARLEY_VERSION, kProtocol));
  }
  return kDone;
}

Run declare(Options& /*options*/) { return &run_version; }

}  // namespace version_verb
}  // namespace

const Verb kVersionVerb{"version", "Print the version", "  parley version --json", Reach::local,
                        &version_verb::declare};

}  // namespace parley::cli
