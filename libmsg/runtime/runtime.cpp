#include "libmsg/runtime/runtime.hpp"

namespace parley {

Result<TopicFilter> TopicFilter::parse(std::string_view text) {
  const bool is_prefix = text.ends_with('*');
  const std::string_view type = is_prefix ? text.substr(0, text.size() - 1) : text;
  const bool is_valid = is_prefix && type.empty() ? true : is_valid_topic_type(type);
  if (!is_valid) {
    return fail(ErrorCode::invalid, "topic filter '" + std::string(text.substr(0, 60)) +
                                        "' must be a topic type of [A-Za-z0-9_.:=-], or a prefix of one and then *");
  }
  return TopicFilter{std::string(type), is_prefix};
}

}  // namespace parley
