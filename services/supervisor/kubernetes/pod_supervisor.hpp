// The supervisor of the pods of one namespace: follows them through the Kubernetes API, and deletes a pod that is
// unhealthy in a way that a new one cures, so that its workload replaces it. Crashes are the kubelet's affair; they are
// told, not acted on. Main thread, which becomes the loop thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/core/random.hpp"
#include "services/supervisor/kubernetes/pod_api.hpp"
#include "services/supervisor/policy_config.hpp"

namespace parley::supervisor {

struct PodSupervisorOptions {
  PodApiOptions api;
  /// It answers as `sys.supervisor/<node>`.
  std::string node;
  std::string broker;
  bool is_insecure_allowed = false;
  PolicyConfig policy;
  /// Remembers failures for its successor; empty: none.
  std::filesystem::path state_file;
  std::uint16_t metrics_port = 0;
  std::string metrics_address = "127.0.0.1";
};

/// Runs until SIGTERM or Ctrl-C, and leaves the pods alone then. Fails with `bad_configuration`.
Result<> run_pod_supervisor(const PodSupervisorOptions& options, const Clock& clock, Random& random);

}  // namespace parley::supervisor
