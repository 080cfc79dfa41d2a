// The command line of parley-supervisor: local processes (--run-dir), or pods (--kubernetes). Main thread, before
// anything else runs.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <variant>

#include "monitoring/log.hpp"
#include "services/config/command_line.hpp"
#include "services/supervisor/kubernetes/pod_supervisor.hpp"
#include "services/supervisor/local_supervisor.hpp"

namespace parley::supervisor {

struct ProgramOptions {
  std::variant<SupervisorOptions, PodSupervisorOptions> mode;
  monitoring::LogOptions log;
};

/// What a pod finds around it.
struct Surroundings {
  std::function<std::string(const char* name)> environment;  ///< empty when it is not set
  std::string account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
};
[[nodiscard]] Surroundings real_surroundings();

[[nodiscard]] std::expected<ProgramOptions, config::EarlyExit> read_options(int argc, const char* const* argv,
                                                                            const Surroundings& surroundings);

}  // namespace parley::supervisor
