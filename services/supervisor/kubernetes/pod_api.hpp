// The three calls of the Kubernetes API that a supervisor of pods needs: list, watch, delete; in one namespace, with
// the token of its service account, which is read anew for every call because the kubelet renews it. Loop thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agents/http/curl_multi.hpp"
#include "agents/http/http_transfer.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"
#include "services/supervisor/kubernetes/watch_stream.hpp"

namespace parley::supervisor {

struct PodApiOptions {
  std::string server;      ///< `https://10.96.0.1:443`
  std::string token_file;  ///< empty: none
  std::string ca_file;     ///< empty: the system's certificates
  std::string name_space;
  std::string selector;  ///< of labels
  std::chrono::milliseconds timeout{10'000};
  /// How long the server keeps one watch open.
  std::chrono::seconds watch_time{120};
};

class PodApi {
 public:
  /// `clock` must outlive it.
  PodApi(std::shared_ptr<http::CurlMulti> curl, const Clock& clock, PodApiOptions options);

  /// All pods that the selector matches. Errors: `unauthorized` (token or Role), `unreachable`, `upstream_failed`,
  /// `timeout`.
  Task<Result<PodList>> list();

  using Listener = std::function<void(const WatchEvent& event)>;
  /// Tells what happens after `version`, until the server ends the watch (success) or something fails, as in list().
  /// `expired` is told to the listener and ends the watch, whether it came as an event or as a status.
  Task<Result<>> watch(std::string version, Listener listener);

  /// Deletes this very pod (not a later one of the same name). `grace`: instead of the pod's own. Success also when it
  /// is gone already.
  Task<Result<>> remove(std::string name, std::string uid, std::optional<std::chrono::seconds> grace);

 private:
  [[nodiscard]] http::HttpRequest request(std::string method, const std::string& path) const;
  [[nodiscard]] std::string pods_path(const std::string& query) const;
  Task<Result<std::string>> read_all(http::HttpTransfer& transfer);

  std::shared_ptr<http::CurlMulti> curl_;  ///< shared with the transfers under way
  const Clock& clock_;
  PodApiOptions options_;
};

}  // namespace parley::supervisor
