#include "agents/text/pattern.hpp"

#include <algorithm>
#include <re2/re2.h>
#include <utility>

namespace parley {

namespace {

/// A compiled expression takes at most this; longer ones are refused.
constexpr std::int64_t kMaxMemory = std::int64_t{1} << 20;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Result<Pattern> Pattern::make(const std::string& expression, LetterCase letters) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  options.set_case_sensitive(letters == LetterCase::exact);
  auto compiled = std::make_shared<const re2::RE2>(expression, options);
  if (!compiled->ok()) return fail(ErrorCode::invalid, compiled->error());
  return Pattern(std::move(compiled));
}

bool Pattern::is_found_in(std::string_view text) const { return re2::RE2::PartialMatch(piece(text), *expression_); }

std::optional<Pattern::Groups> Pattern::find(std::string_view text) const {
  std::array<re2::StringPiece, std::tuple_size_v<Groups>> found;
  const int count = std::min(expression_->NumberOfCapturingGroups() + 1, static_cast<int>(found.size()));
  if (!expression_->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, found.data(), count)) return std::nullopt;
  Groups groups;
  std::ranges::transform(found, groups.begin(), [](const re2::StringPiece& each) { return std::string(each); });
  return groups;
}

const std::string& Pattern::text() const { return expression_->pattern(); }

}  // namespace parley
