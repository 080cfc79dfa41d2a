// The record of every tool call: a JSON line in a file and a line in the log, the numbers for the metrics page, a span.
// Values of arguments whose names sound like secrets are never written. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "agents/host/tool_config.hpp"
#include "agents/tools/tool_record.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/error.hpp"
#include "libmsg/runtime/span.hpp"
#include "monitoring/worker_metrics.hpp"

namespace parley::host {

/// One line of JSON, without a newline.
[[nodiscard]] std::string audit_line(const tools::ToolRecord& record, ToolAuditConfig::Arguments arguments,
                                     WallTime now);

class ToolAudit final : public tools::ToolObserver {
 public:
  /// Opens the file for appending (mode 0600), several processes may share it. Fails with `bad_configuration`. Clock
  /// and metrics (nullptr: none) must outlive it.
  static Result<std::shared_ptr<ToolAudit>> make(ToolAuditConfig config, const Clock& clock,
                                                 monitoring::WorkerMetrics* metrics);
  ToolAudit(const ToolAudit&) = delete;
  ToolAudit& operator=(const ToolAudit&) = delete;
  ~ToolAudit();

  /// Calls that belong to a sampled trace become spans; null: none do.
  void set_span_sink(std::shared_ptr<SpanSink> spans) { spans_ = std::move(spans); }

  void on_call(const tools::ToolRecord& record) override;

 private:
  ToolAudit(ToolAuditConfig config, int fd, const Clock& clock, monitoring::WorkerMetrics* metrics);
  void write(const tools::ToolRecord& record);

  ToolAuditConfig config_;
  int fd_;  ///< -1: no file
  const Clock& clock_;
  monitoring::WorkerMetrics* metrics_;
  std::shared_ptr<SpanSink> spans_;  ///< shared with the runtime
  bool has_failed_ = false;
};

}  // namespace parley::host
