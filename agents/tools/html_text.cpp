#include "agents/tools/html_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "libmsg/core/ascii.hpp"

namespace parley::tools {

namespace {

using namespace std::string_view_literals;

/// Elements whose content is nothing to read.
constexpr std::array kHidden{"script"sv, "style"sv,  "noscript"sv, "template"sv,
                             "svg"sv,    "iframe"sv, "object"sv,   "select"sv};
/// Elements that begin and end a line of their own.
constexpr std::array kBlocks{"p"sv,    "div"sv,   "section"sv, "article"sv,  "header"sv,  "footer"sv,     "main"sv,
                             "nav"sv,  "aside"sv, "ul"sv,      "ol"sv,       "table"sv,   "tr"sv,         "form"sv,
                             "hr"sv,   "dl"sv,    "dt"sv,      "dd"sv,       "figure"sv,  "blockquote"sv, "address"sv,
                             "body"sv, "pre"sv,   "li"sv,      "fieldset"sv, "caption"sv, "title"sv,      "h1"sv,
                             "h2"sv,   "h3"sv,    "h4"sv,      "h5"sv,       "h6"sv};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) { return a == ascii_lower(b); });
}

/// A tag, from `<` to `>`.
struct Tag {
  std::string name;  ///< in lower case
  bool is_end = false;
  std::string_view attributes;
};

/// The value of an attribute, or an empty text.
std::string attribute_of(std::string_view text, std::string_view wanted) {
  std::size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && (is_space(text[at]) || text[at] == '/')) ++at;
    const std::size_t name_begin = at;
    while (at < text.size() && !is_space(text[at]) && text[at] != '=' && text[at] != '/') ++at;
    const std::string_view name = text.substr(name_begin, at - name_begin);
    while (at < text.size() && is_space(text[at])) ++at;
    std::string_view value;
    if (at < text.size() && text[at] == '=') {
      ++at;
      while (at < text.size() && is_space(text[at])) ++at;
      if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        const std::size_t end = std::min(text.find(text[at], at + 1), text.size());
        value = text.substr(at + 1, end - at - 1);
        at = std::min(end + 1, text.size());
      } else {
        const std::size_t begin = at;
        while (at < text.size() && !is_space(text[at])) ++at;
        value = text.substr(begin, at - begin);
      }
    } else if (name.empty()) {
      ++at;  // a stray character
    }
    if (ascii_lower(name) == wanted) return decode_references(value);
  }
  return {};
}

/// Collects lines: white space is one blank, blocks begin lines, empty lines are at most one.
class PageText {
 public:
  explicit PageText(const LinkResolver& resolve) : resolve_(resolve) {}

  void add_text(std::string_view text) {
    const std::string decoded = decode_references(text);
    if (preformatted_ > 0) {
      begin_text();
      out_ += decoded;
      return;
    }
    for (const char c : decoded) {
      if (is_space(c)) {
        has_blank_ = true;
      } else {
        begin_text();
        out_ += c;
      }
    }
  }

  void add_tag(const Tag& tag) {
    if (tag.name == "br") return end_line();
    if (tag.name == "a") return tag.is_end ? end_link() : begin_link(attribute_of(tag.attributes, "href"));
    if (tag.name == "td" || tag.name == "th") return add_cell(tag);
    if (tag.name == "img" && !tag.is_end) return add_text(attribute_of(tag.attributes, "alt"));
    if (std::ranges::find(kBlocks, tag.name) == kBlocks.end()) return;
    end_link();
    end_line();
    if (tag.name == "pre") preformatted_ += tag.is_end ? (preformatted_ > 0 ? -1 : 0) : 1;
    const bool is_heading = tag.name.size() == 2 && tag.name[0] == 'h' && tag.name[1] >= '1' && tag.name[1] <= '6';
    if (is_heading || tag.name == "p" || tag.name == "title") wants_gap_ = true;
    prefix_.clear();
    if (tag.is_end) return;
    if (is_heading) prefix_ = std::string(static_cast<std::size_t>(tag.name[1] - '0'), '#') + " ";
    if (tag.name == "li") prefix_ = "- ";
    if (tag.name == "title") prefix_ = "Title: ";
  }

  std::string take() {
    end_link();
    end_line();
    return std::move(out_);
  }

 private:
  void begin_text() {
    const bool is_line_start = out_.empty() || out_.back() == '\n';
    if (is_line_start) {
      if (wants_gap_ && !out_.empty()) out_ += '\n';
      wants_gap_ = false;
      out_ += std::exchange(prefix_, {});
    } else if (has_blank_) {
      out_ += ' ';
    }
    has_blank_ = false;
    if (!link_.empty() && link_begin_ == std::string::npos) {
      link_begin_ = out_.size();
      out_ += '[';
    }
  }

  void end_line() {
    has_blank_ = false;
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    if (!out_.empty() && out_.back() != '\n') out_ += '\n';
  }

  void add_cell(const Tag& tag) {
    if (tag.is_end) return;
    end_link();
    const bool is_first = out_.empty() || out_.back() == '\n';
    has_blank_ = false;
    if (!is_first) out_ += " | ";
  }

  void begin_link(std::string_view href) {
    end_link();
    if (!resolve_ || href.empty() || href.starts_with('#')) return;
    link_ = resolve_(href);
  }

  void end_link() {
    if (link_begin_ != std::string::npos) out_ += "](" + link_ + ")";
    link_begin_ = std::string::npos;
    link_.clear();
  }

  const LinkResolver& resolve_;
  std::string out_;
  std::string prefix_;  ///< of the next line
  std::string link_;
  std::size_t link_begin_ = std::string::npos;
  bool has_blank_ = false;
  bool wants_gap_ = false;
  int preformatted_ = 0;
};

/// The end of the tag that begins at `at`, behind its `>`; quotes protect a `>` in an attribute.
std::size_t end_of_tag(std::string_view html, std::size_t at) {
  char quote = 0;
  for (std::size_t i = at + 1; i < html.size(); ++i) {
    const char c = html[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') && html[i - 1] == '=') {
      quote = c;
    } else if (c == '>') {
      return i + 1;
    }
  }
  return html.size();
}

Tag read_tag(std::string_view inside) {
  Tag tag;
  if (inside.starts_with('/')) {
    tag.is_end = true;
    inside.remove_prefix(1);
  }
  std::size_t end = 0;
  while (end < inside.size() && !is_space(inside[end]) && inside[end] != '/') ++end;
  tag.name = ascii_lower(inside.substr(0, end));
  tag.attributes = inside.substr(end);
  return tag;
}

/// Behind the end tag of a hidden element that has just begun.
std::size_t skip_hidden(std::string_view html, std::size_t at, std::string_view name) {
  const std::string end = "</" + std::string(name);
  for (at = html.find('<', at); at != std::string_view::npos; at = html.find('<', at + 1)) {
    if (starts_with_ignoring_case(html.substr(at), end)) return end_of_tag(html, at);
  }
  return html.size();
}

}  // namespace

std::string html_text(std::string_view html, const LinkResolver& resolve) {
  PageText page(resolve);
  std::size_t at = 0;
  while (at < html.size()) {
    const std::size_t open = std::min(html.find('<', at), html.size());
    if (open > at) page.add_text(html.substr(at, open - at));
    at = open;
    if (at >= html.size()) break;
    if (html.substr(at).starts_with("<!--")) {
      const std::size_t end = html.find("-->", at + 4);
      at = end == std::string_view::npos ? html.size() : end + 3;
      continue;
    }
    const char next = at + 1 < html.size() ? html[at + 1] : ' ';
    const bool is_tag =
        (ascii_lower(next) >= 'a' && ascii_lower(next) <= 'z') || next == '/' || next == '!' || next == '?';
    if (!is_tag) {
      page.add_text("<");
      ++at;
      continue;
    }
    const std::size_t end = end_of_tag(html, at);
    const Tag tag = read_tag(html.substr(at + 1, end - at - 2));
    at = end;
    const bool is_hidden = !tag.is_end && std::ranges::find(kHidden, tag.name) != kHidden.end();
    if (is_hidden && !tag.attributes.ends_with('/')) {
      at = skip_hidden(html, at, tag.name);
    } else {
      page.add_tag(tag);
    }
  }
  return page.take();
}

}  // namespace parley::tools
