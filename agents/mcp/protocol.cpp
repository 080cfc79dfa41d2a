#include "agents/mcp/protocol.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "agents/llm/json_text.hpp"
#include "agents/mcp/base64.hpp"
#include "libmsg/core/ascii.hpp"

namespace parley::mcp {

using llm::member;
using llm::text_member;
using messages::ToolFile;
using messages::ToolResult;

namespace {

constexpr std::array<std::string_view, 4> kLegacyVersions{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
constexpr std::size_t kMaxDescriptionBytes = 8192;
constexpr std::size_t kMaxToolName = 128;

Json client_info() { return {{"name", "parley"}, {"version", PARLEY_VERSION}}; }

/// Questions to people can be brought to the desk; nothing else is offered to servers.
Json modern_meta(std::uint64_t id) {
  return {{"io.modelcontextprotocol/protocolVersion", kModernVersion},
          {"io.modelcontextprotocol/clientInfo", client_info()},
          {"io.modelcontextprotocol/clientCapabilities", {{"elicitation", Json::object()}}},
          {"progressToken", id}};
}

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.contains(c);
  });
}

bool is_mcp_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxToolName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '/';
  });
}

/// Finds the annotations that may be there, and counts all.
struct HeaderSearch {
  std::vector<HeaderParameter> found = {};
  std::set<std::string> names = {};
  std::string problem = {};
  std::size_t allowed = 0;

  void add(const Json& schema, const std::vector<std::string>& path) {
    ++allowed;
    const std::string_view name = text_member(schema, "x-mcp-header");
    const std::string_view type = text_member(schema, "type");
    if (!is_token(name)) problem = "a header's name is no token";
    if (type != "string" && type != "integer" && type != "boolean") problem = "a header's value is no simple type";
    if (!names.insert(ascii_lower(name)).second) problem = "two headers have one name";
    found.push_back({"Mcp-Param-" + std::string(name), path});
  }

  void walk(const Json& schema, std::vector<std::string>& path) {
    const Json& properties = member(schema, "properties");
    if (!properties.is_object()) return;
    for (const auto& entry : properties.items()) {
      path.push_back(entry.key());
      if (entry.value().is_object()) {
        if (entry.value().contains("x-mcp-header")) add(entry.value(), path);
        walk(entry.value(), path);
      }
      path.pop_back();
    }
  }
};

/// Annotations anywhere in a schema; a property of this name is none.
std::size_t count_annotations(const Json& node, bool is_map_of_names = false) {
  std::size_t count = 0;
  if (node.is_array()) {
    for (const Json& each : node) count += count_annotations(each);
  } else if (node.is_object()) {
    for (const auto& entry : node.items()) {
      const bool is_annotation = !is_map_of_names && entry.key() == "x-mcp-header";
      count += is_annotation ? 1 : count_annotations(entry.value(), !is_map_of_names && entry.key() == "properties");
    }
  }
  return count;
}

std::string plain_value(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return value.dump();
}

std::string add_file(ToolResult& result, std::string_view what, std::string_view name, const Json& block,
                     std::string_view data) {
  std::optional<std::string> bytes = bytes_of_base64(data);
  const std::string media_type(text_member(block, "mimeType"));
  if (!bytes) return "[" + std::string(what) + " that cannot be read]";
  const std::string text = "[" + std::string(what) + (media_type.empty() ? "" : " of " + media_type) + ", " +
                           std::to_string(bytes->size()) + " bytes, kept as a file]";
  std::string file =
      name.empty() ? std::string(what) + "-" + std::to_string(result.files.size() + 1) : std::string(name);
  result.files.push_back(ToolFile{std::move(file), media_type, std::move(*bytes)});
  return text;
}

std::string block_text(ToolResult& result, const Json& block) {
  const std::string_view type = text_member(block, "type");
  if (type == "text") return std::string(text_member(block, "text"));
  if (type == "image" || type == "audio") return add_file(result, type, {}, block, text_member(block, "data"));
  if (type == "resource_link") {
    return "[" + std::string(text_member(block, "name")) + "](" + std::string(text_member(block, "uri")) + ")";
  }
  if (type == "resource") {
    const Json& resource = member(block, "resource");
    const std::string uri(text_member(resource, "uri"));
    if (member(resource, "text").is_string()) return uri + ":\n" + std::string(text_member(resource, "text"));
    return uri + ": " + add_file(result, "resource", uri, resource, text_member(resource, "blob"));
  }
  return "[content of an unknown type]";
}

}  // namespace

bool is_modern_error(int code) {
  return code == kHeaderMismatch || code == kMissingCapability || code == kUnsupportedVersion;
}

bool is_legacy_version(std::string_view version) {
  return std::ranges::find(kLegacyVersions, version) != kLegacyVersions.end();
}

std::optional<RpcError> error_of(const Json& answer) {
  const Json& error = member(answer, "error");
  if (!error.is_object()) return std::nullopt;
  const Json& code = member(error, "code");
  return RpcError{code.is_number_integer() ? code.get<int>() : 0, std::string(text_member(error, "message")),
                  member(error, "data")};
}

std::string text_of(const RpcError& error) { return error.message + " (" + std::to_string(error.code) + ")"; }

Json make_request(std::uint64_t id, std::string_view method, Json params, Era era) {
  if (era == Era::modern) {
    params["_meta"] = modern_meta(id);
  } else if (method == "tools/call") {
    params["_meta"] = {{"progressToken", id}};
  }
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

Json make_notification(std::string_view method, Json params) {
  Json message = {{"jsonrpc", "2.0"}, {"method", method}};
  if (!params.is_null()) message["params"] = std::move(params);
  return message;
}

Json initialize_params() {
  return {{"protocolVersion", kLegacyVersion}, {"capabilities", Json::object()}, {"clientInfo", client_info()}};
}

Discovery discovery_of(const Json& answer) {
  const std::optional<RpcError> error = error_of(answer);
  if (error && !is_modern_error(error->code)) return Discovery::legacy;
  const Json& versions =
      error ? member(error->data, "supported") : member(member(answer, "result"), "supportedVersions");
  if (!versions.is_array()) {
    // A result without versions is not one of server/discover.
    return error ? Discovery::modern : Discovery::legacy;
  }
  bool is_legacy = false;
  for (const Json& version : versions) {
    if (version == kModernVersion) return Discovery::modern;
    is_legacy = is_legacy || (version.is_string() && is_legacy_version(version.get_ref<const std::string&>()));
  }
  return is_legacy ? Discovery::legacy : Discovery::no_version;
}

Result<ToolPage> tool_page_of(const Json& result) {
  const Json& tools = member(result, "tools");
  if (!tools.is_array()) return fail(ErrorCode::upstream_failed, "the server's list of tools is malformed");
  ToolPage page;
  page.next_cursor = text_member(result, "nextCursor");
  page.ttl_ms = llm::count_member(result, "ttlMs");
  for (const Json& each : tools) {
    ToolInfo tool;
    tool.name = text_member(each, "name");
    tool.description = text_member(each, "description");
    if (tool.description.empty()) tool.description = text_member(each, "title");
    if (tool.description.size() > kMaxDescriptionBytes) tool.description.resize(kMaxDescriptionBytes);
    tool.schema = member(each, "inputSchema");
    if (!is_mcp_tool_name(tool.name) || !tool.schema.is_object()) {
      page.dropped.push_back("'" + tool.name + "': its name or its schema is malformed");
      continue;
    }
    HeaderSearch search;
    std::vector<std::string> path;
    search.walk(tool.schema, path);
    if (search.problem.empty() && count_annotations(tool.schema) != search.allowed) {
      search.problem = "a header's value is not reached by properties alone";
    }
    if (!search.problem.empty()) {
      page.dropped.push_back("'" + tool.name + "': " + search.problem);
      continue;
    }
    tool.headers = std::move(search.found);
    page.tools.push_back(std::move(tool));
  }
  return page;
}

std::vector<std::pair<std::string, std::string>> header_values(const std::vector<HeaderParameter>& parameters,
                                                               const Json& arguments) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const HeaderParameter& parameter : parameters) {
    const Json* value = &arguments;
    for (const std::string& key : parameter.path) value = &member(*value, key);
    const bool is_simple = value->is_string() || value->is_boolean() || value->is_number_integer();
    if (is_simple) values.emplace_back(parameter.header, header_text(plain_value(*value)));
  }
  return values;
}

std::string header_text(std::string_view text) {
  const bool is_visible = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  const bool is_padded = text.starts_with(' ') || text.ends_with(' ');
  const bool looks_encoded = text.starts_with("=?base64?") && text.ends_with("?=");
  if (!text.empty() && is_visible && !is_padded && !looks_encoded) return std::string(text);
  return "=?base64?" + base64(text) + "?=";
}

ToolResult tool_result_of(const Json& result) {
  ToolResult out;
  const Json& is_error = member(result, "isError");
  out.is_error = is_error.is_boolean() && is_error.get<bool>();
  const Json& content = member(result, "content");
  if (content.is_array()) {
    for (const Json& block : content) {
      const std::string text = block_text(out, block);
      if (!out.content.empty() && !text.empty()) out.content += "\n";
      out.content += text;
    }
  }
  // Servers that give structure repeat it as text for clients that do not know it; only without that is it of use.
  const auto structured = result.is_object() ? result.find("structuredContent") : result.end();
  if (out.content.empty() && result.is_object() && structured != result.end()) {
    out.content = structured->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return out;
}

}  // namespace parley::mcp
