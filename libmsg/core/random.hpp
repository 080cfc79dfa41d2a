// The injected source of randomness: tokens, jitter, simulation schedules. One thread at a time.
#pragma once

#include <cstdint>
#include <random>

namespace parley {

class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  virtual ~Random() = default;
  /// 64 random bits.
  virtual std::uint64_t next() = 0;

  /// Uniform in [0, bound); 0 when bound is 0. The bias of the modulo is below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
};

/// From the operating system: unpredictable, for session tokens.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override { return (std::uint64_t{device_()} << 32U) | device_(); }

 private:
  std::random_device device_;
};

/// Reproducible from its seed, for tests and simulations.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace parley
