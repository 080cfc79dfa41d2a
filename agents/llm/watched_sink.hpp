// A sink that knows whether a piece has gone through it: what somebody has seen cannot be taken back, so a call is
// repeated or handed to another model only before. Loop thread only.
#pragma once

#include <memory>
#include <utility>

#include "agents/llm/chat_model.hpp"

namespace parley::llm {

class WatchedSink {
 public:
  explicit WatchedSink(ChunkSink sink) : sink_(std::move(sink)) {}
  WatchedSink(const WatchedSink&) = delete;
  WatchedSink& operator=(const WatchedSink&) = delete;

  /// For one attempt; empty when there is nobody to hand pieces to. This object must outlive it.
  [[nodiscard]] ChunkSink sink() {
    if (!sink_) return {};
    return [this](std::string_view piece) {
      has_handed_out_ = true;
      return sink_(piece);
    };
  }
  [[nodiscard]] bool has_handed_out() const { return has_handed_out_; }

 private:
  ChunkSink sink_;
  bool has_handed_out_ = false;
};

}  // namespace parley::llm
