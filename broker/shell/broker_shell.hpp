// The broker as a process: carries frames between the ROUTER and the core, gives the core its time, keeps its state on
// disk, logs its events and shows its numbers. One thread runs everything but the health page.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "broker/shell/options.hpp"
#include "broker/shell/stop_signals.hpp"
#include "libmsg/core/clock.hpp"
#include "libmsg/core/random.hpp"

namespace parley::broker {

class BrokerShell {
 public:
  /// Takes its locks, raises the epoch, listens and serves the health page. Fails with `bad_configuration`, or
  /// `refused` when an address is in use. The references must outlive the shell.
  static Result<std::unique_ptr<BrokerShell>> start(BrokerOptions options, StopSignals& signals, const Clock& clock,
                                                    Random& random);
  BrokerShell(const BrokerShell&) = delete;
  BrokerShell& operator=(const BrokerShell&) = delete;
  ~BrokerShell();

  /// One JSON line for scripts: where it listens.
  [[nodiscard]] std::string ready_line() const;
  /// Routes until a stop signal has come and what was in flight has ended or the drain timeout has passed; a second
  /// signal cuts the drain short.
  void run();

 private:
  class Impl;
  explicit BrokerShell(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley::broker
