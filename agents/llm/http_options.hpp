// Where a provider's server is and how long it may take. Pure values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "libmsg/core/error.hpp"

namespace parley::llm {

struct HttpOptions {
  /// Up to and including the version, for example `http://127.0.0.1:11434/v1`.
  std::string base_url;
  /// Name of the environment variable that holds the key; empty: the server wants none.
  std::string key_variable;

  /// Limit of one call.
  std::chrono::milliseconds timeout{600'000};
  std::chrono::milliseconds connect_timeout{5'000};
  /// Silence for this long ends an answer. Reasoning models are silent for minutes.
  std::chrono::milliseconds stall_timeout{120'000};
  std::size_t max_response_bytes = std::size_t{16} * 1024 * 1024;
};

/// A base URL, checked and taken apart.
struct Endpoint {
  std::string base_url;  ///< without a slash at the end
  std::string host;      ///< with the port when the URL has one; for messages
  bool is_loopback = false;
  bool is_encrypted = false;  ///< https

  /// Fails with `bad_configuration` for what is not an http(s) URL, and for a URL with a password in it.
  static Result<Endpoint> parse(const std::string& base_url);
};

/// True when whoever is between here and the server can read the key.
[[nodiscard]] bool sends_key_in_the_clear(const Endpoint& endpoint, const HttpOptions& options);

}  // namespace parley::llm
