#include "libmsg/wire/bundle.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "tests/unit/wire/sample_envelope.hpp"

namespace parley::wire {
namespace {

struct Walk {
  std::size_t envelopes = 0;
  bool has_error = false;
};

Walk walk(Bytes frame) {
  auto bundle = BundleReader::open(frame);
  if (!bundle) return {0, true};
  Walk result;
  while (bundle->next()) ++result.envelopes;
  result.has_error = bundle->error().has_value();
  return result;
}

// [P-BND-1]
TEST(Bundle, header_is_magic_version_length_reserved_token) {
  const auto frame = bundle_of({}, 0x0102030405060708);
  const std::vector<int> expected{'P', 'Y', 1, 16, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
  ASSERT_EQ(frame.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(std::to_integer<int>(frame[i]), expected[i]) << i;
}

// [P-BND-1]
TEST(Bundle, gives_its_token_and_envelopes_in_order) {
  EnvelopeFields second;
  second.kind = Kind::heartbeat;
  const auto frame = bundle_of({sample_envelope(), encoded(second)}, 42);
  auto bundle = BundleReader::open(frame);
  ASSERT_TRUE(bundle);
  EXPECT_EQ(bundle->token(), SessionToken(42));
  EXPECT_EQ(bundle->next()->kind(), Kind::request);
  EXPECT_EQ(bundle->next()->kind(), Kind::heartbeat);
  EXPECT_FALSE(bundle->next());
  EXPECT_FALSE(bundle->error());
}

TEST(Bundle, without_envelopes_is_good) {
  EXPECT_EQ(walk(bundle_of({})).envelopes, 0U);
  EXPECT_FALSE(walk(bundle_of({})).has_error);
}

// [P-BND-2]
TEST(Bundle, cut_at_any_byte_gives_the_whole_envelopes_before_the_cut_and_an_error) {
  const auto envelope = sample_envelope();
  const auto whole = bundle_of({envelope, envelope});
  for (std::size_t count = 0; count < whole.size(); ++count) {
    const auto part = cut(whole, count);
    const Walk result = walk(part);
    const std::size_t complete = count < kBundleHeaderBytes ? 0 : (count - kBundleHeaderBytes) / envelope.size();
    const bool is_at_boundary = count >= kBundleHeaderBytes && (count - kBundleHeaderBytes) % envelope.size() == 0;
    EXPECT_EQ(result.envelopes, complete) << count;
    EXPECT_EQ(result.has_error, !is_at_boundary) << count;
  }
}

// [P-BND-2]
TEST(Bundle, stops_at_the_first_malformed_envelope) {
  auto broken = sample_envelope();
  store(broken.data() + layout::kLength, std::uint32_t{3});
  const auto frame = bundle_of({sample_envelope(), broken, sample_envelope()});
  const Walk result = walk(frame);
  EXPECT_EQ(result.envelopes, 1U);
  EXPECT_TRUE(result.has_error);
}

// [P-BND-3]
TEST(Bundle, with_another_magic_or_version_is_invalid) {
  for (std::size_t offset : {0, 1, 2}) {
    auto frame = bundle_of({sample_envelope()});
    frame[offset] = std::byte{0x7F};
    const auto bundle = BundleReader::open(frame);
    ASSERT_FALSE(bundle) << offset;
    EXPECT_EQ(bundle.error().code, ErrorCode::invalid);
  }
}

// [P-BND-4]
TEST(Bundle, longer_header_of_a_newer_peer_is_skipped) {
  auto frame = bundle_of({sample_envelope()});
  frame.insert(frame.begin() + kBundleHeaderBytes, 4, std::byte{0xEE});
  frame[3] = std::byte{20};
  EXPECT_EQ(walk(frame).envelopes, 1U);
  EXPECT_FALSE(walk(frame).has_error);
}

// [P-BND-4]
TEST(Bundle, header_length_outside_the_frame_is_invalid) {
  for (int length : {0, 15, 17, 255}) {
    auto frame = bundle_of({});
    frame[3] = static_cast<std::byte>(length);
    EXPECT_FALSE(BundleReader::open(frame)) << length;
  }
}

// [P-BND-5]
TEST(Bundle, reserved_bytes_are_ignored) {
  auto frame = bundle_of({sample_envelope()});
  for (std::size_t i = 4; i < 8; ++i) frame[i] = std::byte{0xFF};
  EXPECT_EQ(walk(frame).envelopes, 1U);
}

}  // namespace
}  // namespace parley::wire
