// So many at a time; the others wait in line, and the line is bounded. Loop thread.
#pragma once

#include <cstddef>
#include <memory>

#include "libmsg/core/error.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley::sandbox {

class Slots {
 private:
  struct State;

 public:
  static constexpr std::size_t kMaxWaiting = 64;

  /// A place, until it is destroyed.
  class Place {
   public:
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

   private:
    /// Shared with those who wait: a place may outlive the Slots.
    std::shared_ptr<State> state_;
  };

  explicit Slots(std::size_t places);
  /// Fails with `overloaded` when kMaxWaiting wait already, and with `cancelled` when the waiting coroutine is.
  [[nodiscard]] Task<Result<Place>> acquire();

 private:
  std::shared_ptr<State> state_;
};

}  // namespace parley::sandbox
