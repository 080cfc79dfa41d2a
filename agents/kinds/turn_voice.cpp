#include "agents/kinds/turn_voice.hpp"

#include <utility>

#include "agents/kinds/clip_text.hpp"

namespace parley::kinds {

Task<Result<>> TurnVoice::say(std::string_view piece) {
  if (piece.empty() || !context_.is_request()) co_return Result<>{};
  const messages::TextPart part{std::string(piece), from_};
  co_return co_await context_.part(part);
}

Task<Result<>> TurnVoice::tell(std::string event, std::string detail, std::string text, messages::Usage usage) {
  if (!context_.is_request()) co_return Result<>{};
  messages::TeamEvent happened;
  happened.event = std::move(event);
  happened.from = from_;
  happened.detail = std::move(detail);
  happened.text = clip_text(std::move(text), kMaxEventText);
  happened.usage = std::move(usage);
  co_return co_await context_.part(happened);
}

}  // namespace parley::kinds
