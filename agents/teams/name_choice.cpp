#include "agents/teams/name_choice.hpp"

#include <algorithm>

#include "libmsg/core/ascii.hpp"

namespace parley::teams {

namespace {

bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte >= 0x80U;
}

/// Lower case, with a space for `_` and `-` (and `\_`, as Markdown has it), so that one search finds all spellings.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') continue;
    if (c == '_' || c == '-') {
      result += ' ';
    } else {
      result += ascii_lower(c);
    }
  }
  return result;
}

struct Mention {
  std::size_t name;
  std::size_t begin;
  std::size_t end;
};

std::vector<Mention> mentions_of(std::size_t index, const std::string& name, const std::string& text) {
  std::vector<Mention> found;
  if (name.empty()) return found;
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool is_apart = (at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]));
    if (is_apart) found.push_back({index, at, end});
  }
  return found;
}

bool is_within(const Mention& inner, const Mention& outer) {
  const bool is_inside = outer.begin <= inner.begin && inner.end <= outer.end;
  return is_inside && outer.end - outer.begin > inner.end - inner.begin;
}

}  // namespace

std::string listed(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

Result<std::size_t> chosen_name(std::string_view answer, std::span<const std::string> names) {
  // An answer that is exactly one of the names is that one, whatever the names have in common.
  const auto exact = std::ranges::find(names, answer);
  if (exact != names.end()) return static_cast<std::size_t>(exact - names.begin());
  const std::string text = plain(answer);
  std::vector<Mention> mentions;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::vector<Mention> of_this = mentions_of(i, plain(names[i]), text);
    mentions.insert(mentions.end(), of_this.begin(), of_this.end());
  }
  std::vector<std::string> chosen;
  std::size_t index = 0;
  for (const Mention& mention : mentions) {
    const bool is_part = std::ranges::any_of(mentions, [&](const Mention& each) { return is_within(mention, each); });
    if (is_part || std::ranges::find(chosen, names[mention.name]) != chosen.end()) continue;
    chosen.push_back(names[mention.name]);
    index = mention.name;
  }
  if (chosen.size() == 1) return index;
  if (chosen.empty()) return fail(ErrorCode::invalid, "Your answer names none of " + listed(names) + ".");
  return fail(ErrorCode::invalid, "Your answer names " + listed(chosen) + ", and exactly one name is expected.");
}

}  // namespace parley::teams
