// Base64 of RFC 4648. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parley::mcp {

[[nodiscard]] std::string base64(std::string_view bytes);
/// nullopt for what is no base64; padding may be missing.
[[nodiscard]] std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace parley::mcp
