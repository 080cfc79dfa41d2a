// A growable run of bytes that does not zero what it is about to overwrite. Bundles, frames and payloads are built in
// it, and it is reused between them: std::vector would clear every byte first, which shows in the bus's profile.
// One thread at a time; move-only so that no copy happens unseen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace parley {

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteBuffer {
 public:
  ByteBuffer() = default;
  explicit ByteBuffer(std::size_t capacity) { reserve(capacity); }
  explicit ByteBuffer(Bytes content) { append(content); }
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool is_empty() const { return size_ == 0; }
  [[nodiscard]] std::byte* data() { return data_.get(); }
  [[nodiscard]] const std::byte* data() const { return data_.get(); }
  [[nodiscard]] Bytes bytes() const { return {data_.get(), size_}; }
  [[nodiscard]] std::string_view text() const { return as_text(bytes()); }

  /// Keeps the memory for the next use.
  void clear() { size_ = 0; }

  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ != 0) std::memcpy(grown.get(), data_.get(), size_);
    data_ = std::move(grown);
    capacity_ = capacity;
  }

  /// Adds `count` uninitialised bytes and returns their start, valid until the next growth.
  std::byte* grow(std::size_t count) {
    if (size_ + count > capacity_) reserve(std::max({std::size_t{64}, capacity_ * 2, size_ + count}));
    std::byte* start = data_.get() + size_;
    size_ += count;
    return start;
  }

  /// `content` must not lie in this buffer: growing would free it.
  void append(Bytes content) {
    if (content.empty()) return;
    std::memcpy(grow(content.size()), content.data(), content.size());
  }
  void append(std::string_view text) { append(as_bytes(text)); }

  /// The writer interface that msgpack::packer expects.
  void write(const char* content, std::size_t count) { append(std::string_view(content, count)); }

  /// Forgets everything behind the first `size` bytes; `size` must not exceed size().
  void truncate(std::size_t size) { size_ = std::min(size, size_); }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace parley
