// Turns what an MCP client tells into metrics. Loop thread only.
#pragma once

#include <cstddef>
#include <string_view>

#include "agents/mcp/client_observer.hpp"
#include "monitoring/mcp_metrics.hpp"

namespace parley::host {

class McpObserver final : public mcp::ClientObserver {
 public:
  /// The metrics that the series belong to must outlive the observer.
  explicit McpObserver(monitoring::McpMetrics::Series& series) : series_(series) {}

  void on_request(std::string_view method, mcp::RequestOutcome outcome, Duration latency) override {
    series_.observe(method, static_cast<std::size_t>(outcome), latency);
  }
  void on_negotiated() override { series_.connections->Increment(); }
  void on_reachable(bool is_there) override { series_.connected->Set(is_there ? 1 : 0); }

 private:
  monitoring::McpMetrics::Series& series_;
};

}  // namespace parley::host
