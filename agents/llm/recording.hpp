// Recorded exchanges with a model: one JSON object a line, the first names the format. Holds what was asked and
// answered and nothing of how: no key, no header, no address. Pure; one thread at a time.
//
//     {"format":"parley-model-recording","version":1}
//     {"request":{"messages":[…]},"completion":{"text":"…","usage":{…}}}
//     {"request":{"messages":[…]},"error":{"code":"overloaded","message":"…"}}
#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

using ModelOutcome = std::expected<Completion, ModelError>;

/// The first line of a recording, with its line end.
[[nodiscard]] std::string recording_header();
/// The line of one exchange, with its line end. `request` is json_of() of the request.
[[nodiscard]] std::string recording_line(const nlohmann::json& request, const ModelOutcome& outcome);

struct RecordedExchange {
  nlohmann::json request;
  ModelOutcome outcome;
};

/// Reads a recording. Fails with `invalid`, naming the line; a last line that lacks its end (the recorder was killed)
/// is left out.
[[nodiscard]] Result<std::vector<RecordedExchange>> parse_recording(std::string_view text);

/// How a recorded answer is found.
enum class ReplayMatch : std::uint8_t {
  order,    ///< the n-th request must be the n-th recorded one
  request,  ///< the same request; recorded several times, the answers come in turn and the last one stays
};

/// Plays a recording back.
class Replay {
 public:
  Replay(std::vector<RecordedExchange> exchanges, ReplayMatch match);

  /// The recorded outcome. Fails with `invalid` when there is none, saying where the request differs from the one that
  /// was expected or from the recorded one that is most like it.
  [[nodiscard]] Result<ModelOutcome> answer(const nlohmann::json& request);
  [[nodiscard]] std::size_t size() const { return exchanges_.size(); }

 private:
  [[nodiscard]] Result<ModelOutcome> next_in_order(const nlohmann::json& request);
  [[nodiscard]] std::string nearest(const nlohmann::json& request) const;

  std::vector<RecordedExchange> exchanges_;
  ReplayMatch match_;
  std::size_t next_ = 0;
  std::unordered_map<std::string, std::deque<std::size_t>> by_request_;
};

}  // namespace parley::llm
