// What is kept of each call of a tool: for the audit log and the metrics. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libmsg/core/clock.hpp"
#include "libmsg/core/ids.hpp"

namespace parley::tools {

enum class ToolOutcome : std::uint8_t {
  ok,
  tool_error,         ///< the tool failed, or said that it did
  invalid_arguments,  ///< not JSON, too large, or they do not fit the schema
  unknown_tool,
  refused,  ///< a person said no, or nobody said yes in time
  timeout,
  cancelled,  ///< the turn was
};

[[nodiscard]] std::string_view to_string(ToolOutcome outcome);

/// Borrows everything; valid during on_call().
struct ToolRecord {
  const AgentId& agent;
  std::string_view conversation;
  std::string_view tool;
  std::string_view call_id;
  std::string_view arguments;  ///< JSON text as the model wrote it
  ToolOutcome outcome = ToolOutcome::ok;
  std::string_view problem;      ///< what the model was told when the outcome is not ok
  std::string_view approved_by;  ///< empty: no approval was needed, or none was given
  Duration duration{};           ///< of the tool itself; 0 when it did not run
  Duration waited{};             ///< for a person
  std::size_t result_bytes = 0;
  std::string_view traceparent;  ///< of the turn; empty: none
};

class ToolObserver {
 public:
  virtual void on_call(const ToolRecord& record) = 0;

 protected:
  ~ToolObserver() = default;
};

}  // namespace parley::tools
