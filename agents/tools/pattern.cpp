#include "agents/tools/pattern.hpp"

#include <re2/re2.h>
#include <utility>

namespace parley::tools {

namespace {

/// A compiled expression takes at most this; longer ones are refused.
constexpr std::int64_t kMaxMemory = std::int64_t{1} << 20;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Result<Pattern> Pattern::make(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  auto compiled = std::make_shared<const re2::RE2>(expression, options);
  if (!compiled->ok()) return fail(ErrorCode::invalid, compiled->error());
  return Pattern(std::move(compiled));
}

bool Pattern::is_found_in(std::string_view text) const { return re2::RE2::PartialMatch(piece(text), *expression_); }

const std::string& Pattern::text() const { return expression_->pattern(); }

}  // namespace parley::tools
