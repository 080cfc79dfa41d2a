// A web page as text that a model can read: its title, headings, paragraphs, list items, table rows and links, without
// scripts, styles and markup. One pass over the bytes without a tree, so that no page costs more than its size. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace parley::tools {

/// Makes the address of a link on the page whole; an empty text leaves the link out.
using LinkResolver = std::function<std::string(std::string_view href)>;

/// Links become `[text](address)`; without a resolver only their text stays.
[[nodiscard]] std::string html_text(std::string_view html, const LinkResolver& resolve = {});

/// `&amp;`, `&#8364;`, `&#x20AC;` and the named references that pages use most; others stay as they are.
[[nodiscard]] std::string decode_references(std::string_view text);

}  // namespace parley::tools
