// Keeps up with the pods of a namespace: lists them, then watches; lists anew when the server has forgotten where the
// watch was, or when anything failed. Goes on for ever. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <vector>

#include "libmsg/core/backoff.hpp"
#include "libmsg/core/random.hpp"
#include "services/supervisor/kubernetes/pod_api.hpp"

namespace parley::supervisor {

/// What the follower tells. Called on the loop thread.
struct PodNews {
  std::function<void(const std::vector<Pod>& pods)> on_list;  ///< these and no others
  std::function<void(const Pod& pod)> on_change;
  std::function<void(const Pod& pod)> on_delete;
  /// Told when it changes; `reason` when it is false.
  std::function<void(bool is_there, const std::string& reason)> on_api;
};

class PodFollower {
 public:
  /// Between two tries while the API fails.
  static constexpr BackoffPolicy kRetry{std::chrono::milliseconds(500), std::chrono::seconds(30)};

  /// Between two watches.
  static constexpr std::chrono::milliseconds kPause{50};

  /// All must outlive it.
  PodFollower(asio::io_context& io, PodApi& api, Random& random, PodNews news);

  Task<> run();

 private:
  Task<> follow_once();
  Task<Result<>> list();
  void take(const WatchEvent& event);
  void note_api(const Result<>& outcome);

  PodApi& api_;
  Random& random_;
  PodNews news_;
  Backoff backoff_{kRetry};
  asio::steady_timer timer_;
  std::string version_;  ///< empty: list first
  bool was_there_ = true;
};

}  // namespace parley::supervisor
