#include "agents/llm/token_estimate.hpp"

#include <gtest/gtest.h>

namespace parley::llm {
namespace {

TEST(TokenEstimate, tells_a_request_that_was_cut_from_a_tokenizer_of_another_kind) {
  EXPECT_TRUE(is_input_cut(4096, 20'000)) << "Ollama at its num_ctx";
  EXPECT_FALSE(is_input_cut(12'000, 20'000));
  EXPECT_FALSE(is_input_cut(30'000, 20'000));
}

TEST(TokenEstimate, says_nothing_about_short_requests_and_answers_of_a_cache) {
  EXPECT_FALSE(is_input_cut(100, 999));
  EXPECT_FALSE(is_input_cut(0, 20'000));
}

}  // namespace
}  // namespace parley::llm
