#include "tests/support/stub_bodies.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace parley::test {

namespace {

using nlohmann::json;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json usage_of(const StubReply& reply) {
  const std::size_t output = (reply.text.size() + 3) / 4;
  return {{"prompt_tokens", 11},
          {"completion_tokens", output},
          {"total_tokens", 11 + output},
          {"prompt_tokens_details", {{"cached_tokens", 3}}},
          {"completion_tokens_details", {{"reasoning_tokens", 2}}}};
}

std::string finish_reason_of(const StubReply& reply) { return reply.tool_calls.empty() ? "stop" : "tool_calls"; }

std::string openai_body(const StubReply& reply) {
  json message{{"role", "assistant"}, {"content", reply.text}};
  for (const StubToolCall& call : reply.tool_calls) {
    message["tool_calls"].push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  json body{{"id", "chatcmpl-stub"},
            {"object", "chat.completion"},
            {"created", 0},
            {"model", "stub-model"},
            {"choices", {{{"index", 0}, {"message", std::move(message)}, {"finish_reason", finish_reason_of(reply)}}}}};
  if (reply.has_usage) body["usage"] = usage_of(reply);
  return body.dump();
}

std::string event_of(json choices, json usage = nullptr) {
  const json event{{"id", "chatcmpl-stub"}, {"object", "chat.completion.chunk"}, {"created", 0},
                   {"model", "stub-model"}, {"choices", std::move(choices)},     {"usage", std::move(usage)}};
  return "data: " + event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n\n";
}

std::string event_of_delta(json delta, json finish_reason = nullptr) {
  json choices = json::array();
  choices.push_back({{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish_reason)}});
  return event_of(std::move(choices));
}

std::string event_of_tool_call(std::size_t index, json call) {
  call["index"] = index;
  json calls = json::array();
  calls.push_back(std::move(call));
  return event_of_delta({{"tool_calls", std::move(calls)}});
}

void add_tool_calls(const StubReply& reply, std::vector<std::string>& pieces) {
  for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
    const StubToolCall& call = reply.tool_calls[i];
    pieces.push_back(event_of_tool_call(
        i, {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", ""}}}}));
    for (std::size_t at = 0; at < call.arguments.size(); at += reply.chunk_bytes) {
      const std::string piece = call.arguments.substr(at, reply.chunk_bytes);
      pieces.push_back(event_of_tool_call(i, {{"function", {{"arguments", piece}}}}));
    }
  }
}

std::vector<std::string> openai_events(const StubReply& reply) {
  std::vector<std::string> events{event_of_delta({{"role", "assistant"}, {"content", ""}})};
  for (std::size_t at = 0; at < reply.text.size(); at += reply.chunk_bytes) {
    events.push_back(event_of_delta({{"content", reply.text.substr(at, reply.chunk_bytes)}}));
  }
  add_tool_calls(reply, events);
  events.push_back(event_of_delta(json::object(), finish_reason_of(reply)));
  if (reply.has_usage) events.push_back(event_of(json::array(), usage_of(reply)));
  events.emplace_back("data: [DONE]\n\n");
  return events;
}

json anthropic_usage(const StubReply& reply) {
  return {{"input_tokens", 6},
          {"cache_read_input_tokens", 3},
          {"cache_creation_input_tokens", 2},
          {"output_tokens", (reply.text.size() + 3) / 4}};
}

std::string stop_reason_of(const StubReply& reply) { return reply.tool_calls.empty() ? "end_turn" : "tool_use"; }

json anthropic_blocks(const StubReply& reply) {
  json blocks = json::array();
  if (!reply.thinking.empty()) {
    blocks.push_back({{"type", "thinking"}, {"thinking", reply.thinking}, {"signature", "stub-signature"}});
  }
  if (!reply.text.empty()) blocks.push_back({{"type", "text"}, {"text", reply.text}});
  for (const StubToolCall& call : reply.tool_calls) {
    blocks.push_back({{"type", "tool_use"},
                      {"id", call.id},
                      {"name", call.name},
                      {"input", json::parse(call.arguments, nullptr, false)}});
  }
  return blocks;
}

json anthropic_message(const StubReply& reply, json content, json stop_reason) {
  json message{{"id", "msg_stub"},
               {"type", "message"},
               {"role", "assistant"},
               {"model", "stub-model"},
               {"content", std::move(content)},
               {"stop_reason", std::move(stop_reason)},
               {"stop_sequence", nullptr}};
  if (reply.has_usage) message["usage"] = anthropic_usage(reply);
  return message;
}

std::string anthropic_event(const json& event) {
  return "event: " + event["type"].get<std::string>() + "\ndata: " + dump(event) + "\n\n";
}

void add_deltas(std::vector<std::string>& events, std::size_t index, const char* type, const char* member,
                const std::string& text, std::size_t chunk_bytes) {
  for (std::size_t at = 0; at < text.size(); at += chunk_bytes) {
    events.push_back(anthropic_event({{"type", "content_block_delta"},
                                      {"index", index},
                                      {"delta", {{"type", type}, {member, text.substr(at, chunk_bytes)}}}}));
  }
}

void add_block(std::vector<std::string>& events, std::size_t index, const json& block, const StubReply& reply) {
  const std::string type = block["type"];
  json start = block;
  if (type == "text") start["text"] = "";
  if (type == "thinking") start["thinking"] = start["signature"] = "";
  if (type == "tool_use") start["input"] = json::object();
  events.push_back(anthropic_event({{"type", "content_block_start"}, {"index", index}, {"content_block", start}}));
  if (type == "text") add_deltas(events, index, "text_delta", "text", block["text"], reply.chunk_bytes);
  if (type == "tool_use") {
    add_deltas(events, index, "input_json_delta", "partial_json", dump(block["input"]), reply.chunk_bytes);
  }
  if (type == "thinking") {
    add_deltas(events, index, "thinking_delta", "thinking", block["thinking"], reply.chunk_bytes);
    add_deltas(events, index, "signature_delta", "signature", block["signature"], 1024);
  }
  events.push_back(anthropic_event({{"type", "content_block_stop"}, {"index", index}}));
}

std::vector<std::string> anthropic_events(const StubReply& reply) {
  json start = anthropic_message(reply, json::array(), nullptr);
  if (reply.has_usage) start["usage"]["output_tokens"] = 1;
  std::vector<std::string> events{anthropic_event({{"type", "message_start"}, {"message", std::move(start)}}) +
                                  anthropic_event({{"type", "ping"}})};
  const json blocks = anthropic_blocks(reply);
  for (std::size_t i = 0; i < blocks.size(); ++i) add_block(events, i, blocks[i], reply);
  json end{{"type", "message_delta"}, {"delta", {{"stop_reason", stop_reason_of(reply)}, {"stop_sequence", nullptr}}}};
  if (reply.has_usage) {
    end["usage"] = {{"output_tokens", anthropic_usage(reply)["output_tokens"]}, {"input_tokens", nullptr}};
  }
  events.push_back(anthropic_event(end));
  events.push_back(anthropic_event({{"type", "message_stop"}}));
  return events;
}

}  // namespace

std::string whole_body(const StubReply& reply, StubDialect dialect) {
  if (dialect == StubDialect::openai) return openai_body(reply);
  return dump(anthropic_message(reply, anthropic_blocks(reply), stop_reason_of(reply)));
}

std::vector<std::string> stream_events(const StubReply& reply, StubDialect dialect) {
  return dialect == StubDialect::openai ? openai_events(reply) : anthropic_events(reply);
}

}  // namespace parley::test
