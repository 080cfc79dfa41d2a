// What the demo says, and what it shows about it afterwards. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/core/clock.hpp"
#include "services/cli/trace_view.hpp"

namespace parley::cli {

struct DemoLine {
  std::string_view session;
  std::string_view text;
  /// Agent type that must answer.
  std::string_view answered_by;
  /// What the line shows; empty when it is like an earlier one.
  std::string_view remark;
};

/// The help desk: two sessions, an HR question with a follow-up, END, a finance question, an unknown intent.
[[nodiscard]] std::span<const DemoLine> demo_script();

struct DemoResult {
  std::string session;
  std::string text;
  std::string answered_by;
  Duration latency{};
  std::vector<Leg> legs;
};

/// `you → user/alice → router/alice → user/alice → hr/alice`: who got the message one after the other, replies left
/// out. `client` is the name under which this process appears.
[[nodiscard]] std::string flow_of(const std::vector<Leg>& legs, std::string_view client);

[[nodiscard]] std::vector<std::string> render_results(const std::vector<DemoResult>& results, std::size_t width);

}  // namespace parley::cli
