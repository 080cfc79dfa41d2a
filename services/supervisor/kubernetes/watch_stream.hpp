// The body of a watch, which arrives in pieces: one JSON object a line, `{"type": "MODIFIED", "object": {…}}`.
// Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes. Pure; one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/error.hpp"
#include "services/supervisor/kubernetes/pod.hpp"

namespace parley::supervisor {

struct WatchEvent {
  enum class Kind : std::uint8_t {
    changed,   ///< `pod` is there, as it is now
    deleted,   ///< `pod` is gone
    bookmark,  ///< nothing happened, up to `version`
    expired,   ///< the server has forgotten where the watch was (410): list anew
  };
  Kind kind = Kind::changed;
  Pod pod = {};
  /// From here a later watch goes on.
  std::string version = {};
};

class WatchStream {
 public:
  /// A line that is longer ends the watch.
  static constexpr std::size_t kMaxLineBytes = std::size_t{4} * 1024 * 1024;

  /// The events that are complete now. Fails with `upstream_failed` when the server said that the watch has failed, or
  /// something that is no event; then the stream is over.
  Result<std::vector<WatchEvent>> take(std::string_view piece);

 private:
  std::string unread_;
};

/// A page of a list of pods.
struct PodList {
  std::vector<Pod> pods;
  std::string version;
  std::string next_page;  ///< empty: this was the last one
};

/// Fails with `upstream_failed` when the text is no list of pods.
Result<PodList> read_pod_list(const std::string& text);

}  // namespace parley::supervisor
