// A model's wish to use a tool, and what came of it: between a model and an assistant, and between an assistant and the
// worker that hosts the tool. PROTOCOL.md §Shared messages documents each field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmsg/messages/text.hpp"
#include "libmsg/wire/fields.hpp"

namespace parley::messages {

/// One call of a tool. As a request to a tool host it is answered with a ToolResult.
struct ToolCall {
  static constexpr std::string_view kTypeName = "parley.ToolCall";
  /// Unique within the conversation; the idempotency key of the call.
  std::string id;
  std::string name;
  /// JSON text as the model wrote it: perhaps not valid.
  std::string arguments;
  PARLEY_FIELDS(id, name, arguments)
  friend bool operator==(const ToolCall&, const ToolCall&) = default;
};

/// A file that a tool made.
struct ToolFile {
  std::string name;
  std::string media_type;  ///< may be empty
  std::string bytes;
  PARLEY_FIELDS(name, media_type, bytes)
  friend bool operator==(const ToolFile&, const ToolFile&) = default;
};

struct ToolResult {
  static constexpr std::string_view kTypeName = "parley.ToolResult";
  std::string id;  ///< of the call
  std::string name;
  /// What the model is to read: the result, or what went wrong.
  std::string content;
  bool is_error = false;
  /// The content was cut at the tool's limit.
  bool is_truncated = false;
  std::vector<ToolFile> files;
  /// What the call cost in tokens and money, when another agent did the work.
  Usage usage;
  PARLEY_FIELDS(id, name, content, is_error, is_truncated, files, usage)
  friend bool operator==(const ToolResult&, const ToolResult&) = default;
};

/// Asks a tool host what it offers; answered with a ToolListing.
struct ToolList {
  static constexpr std::string_view kTypeName = "parley.ToolList";
  std::string name;  ///< only this one; empty: all
  PARLEY_FIELDS(name)
  friend bool operator==(const ToolList&, const ToolList&) = default;
};

struct ToolDescription {
  std::string name;
  std::string description;
  std::string parameters;  ///< JSON Schema text
  PARLEY_FIELDS(name, description, parameters)
  friend bool operator==(const ToolDescription&, const ToolDescription&) = default;
};

struct ToolListing {
  static constexpr std::string_view kTypeName = "parley.ToolListing";
  std::vector<ToolDescription> tools;
  PARLEY_FIELDS(tools)
  friend bool operator==(const ToolListing&, const ToolListing&) = default;
};

}  // namespace parley::messages
