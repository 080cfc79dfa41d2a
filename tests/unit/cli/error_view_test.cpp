#include "services/cli/error_view.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "libmsg/core/retry_hint.hpp"

namespace parley::cli {
namespace {

TEST(ErrorView, shows_when_to_try_again) {
  Error error(ErrorCode::overloaded, "the queue is full");
  set_retry_after(error, std::chrono::milliseconds(100));
  const nlohmann::json expected = {{"code", "overloaded"},
                                   {"message", "the queue is full"},
                                   {"retryable", true},
                                   {"details", {{"retry_after_ms", "100"}}}};
  EXPECT_EQ(error_to_json(error), expected);
}

}  // namespace
}  // namespace parley::cli
