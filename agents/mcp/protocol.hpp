// The Model Context Protocol as a client speaks it, in both of its eras: `modern` (2026-07-28, stateless: each request
// says who asks and in which version) and `legacy` (2025-11-25 and before: `initialize` first). Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmsg/core/error.hpp"
#include "libmsg/messages/tools.hpp"

namespace parley::mcp {

using Json = nlohmann::json;

enum class Era : std::uint8_t { modern, legacy };

inline constexpr std::string_view kModernVersion = "2026-07-28";
inline constexpr std::string_view kLegacyVersion = "2025-11-25";

/// Error codes that only servers of the modern era have.
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kMissingCapability = -32021;
inline constexpr int kUnsupportedVersion = -32022;
inline constexpr int kMethodNotFound = -32601;

inline constexpr std::string_view kToolsChanged = "notifications/tools/list_changed";

[[nodiscard]] bool is_modern_error(int code);
[[nodiscard]] bool is_legacy_version(std::string_view version);

/// A JSON-RPC error of a server.
struct RpcError {
  int code = 0;
  std::string message;
  Json data = nullptr;
};

/// `error` of an answer; nullopt when it has a result.
[[nodiscard]] std::optional<RpcError> error_of(const Json& answer);
[[nodiscard]] std::string text_of(const RpcError& error);

/// A whole request. In the modern era `_meta` says version, client and capabilities; the id is the progress token, too.
[[nodiscard]] Json make_request(std::uint64_t id, std::string_view method, Json params, Era era);
[[nodiscard]] Json make_notification(std::string_view method, Json params);
/// `initialize` of the legacy era.
[[nodiscard]] Json initialize_params();

/// What `server/discover` has told.
enum class Discovery : std::uint8_t {
  modern,
  legacy,      ///< speaks only old versions, or does not know the question
  no_version,  ///< modern, but none of our versions
};
/// Judges the answer to `server/discover` (§ era detection: never by one code alone).
[[nodiscard]] Discovery discovery_of(const Json& answer);

/// A value of the arguments that goes into an HTTP header, too (`x-mcp-header`).
struct HeaderParameter {
  std::string header;             ///< `Mcp-Param-Region`
  std::vector<std::string> path;  ///< keys from the arguments to the value
};

struct ToolInfo {
  std::string name;
  std::string description;
  Json schema;
  std::vector<HeaderParameter> headers = {};
};

/// One page of `tools/list`.
struct ToolPage {
  std::vector<ToolInfo> tools;
  std::string next_cursor;
  std::optional<std::uint64_t> ttl_ms;
  std::vector<std::string> dropped;  ///< tools that break a rule, and which one
};
[[nodiscard]] Result<ToolPage> tool_page_of(const Json& result);

/// Headers of a call for the parameters that are there.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> header_values(
    const std::vector<HeaderParameter>& parameters, const Json& arguments);
/// Text as an MCP header holds it: as it is when it is plain, else `=?base64?…?=`.
[[nodiscard]] std::string header_text(std::string_view text);

/// A result of `tools/call` for a model: texts, descriptions of what is no text, and that as files.
[[nodiscard]] messages::ToolResult tool_result_of(const Json& result);

}  // namespace parley::mcp
