// A pod as the API server describes it, as far as the supervisor looks. Values; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "libmsg/core/error.hpp"
#include "services/supervisor/process_end.hpp"

namespace parley::supervisor {

struct Pod {
  std::string name;
  std::string uid;
  /// What it is one of: the Deployment, StatefulSet or other owner; the pod itself when it has none.
  std::string workload;
  /// Its name is the same after a replacement (StatefulSet).
  bool has_stable_name = false;
  bool is_deleting = false;
  bool is_over = false;     ///< no container of it will run again
  bool is_running = false;  ///< its first container is
  bool is_ready = false;
  std::uint32_t restarts = 0;  ///< of its first container, by the kubelet
  /// How the container ended that ran before the present one, or the last one of a pod that is over.
  std::optional<ProcessEnd> last_end;

  friend bool operator==(const Pod&, const Pod&) = default;
};

/// Fails with `invalid` when it is not a pod with a name and a uid. Anything else that is missing has its default.
Result<Pod> read_pod(const nlohmann::json& object);

/// An exit code as the kubelet tells it: 128 and a signal for a container that was killed.
[[nodiscard]] ProcessEnd container_end(int exit_code, std::string reason);

}  // namespace parley::supervisor
