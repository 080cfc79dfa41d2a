// What the daemons' main() functions have in common: what they ask of the system, and how they end when something is
// wrong. Main thread.
#pragma once

#include <exception>
#include <iostream>

#include "libmsg/core/error.hpp"
#include "services/config/descriptors.hpp"
#include "services/config/problems.hpp"

namespace parley::config {

inline constexpr int kFailedExit = 1;
inline constexpr int kUnreachableExit = 3;

/// Says on standard error what is wrong; the exit status for it.
inline int report(const Error& error) {
  std::cerr << "error: " << error.message << '\n';
  if (error.code == ErrorCode::unreachable) return kUnreachableExit;
  return error.code == ErrorCode::bad_configuration ? kBadConfigurationExit : kFailedExit;
}

/// Runs the program; an exception that nobody has caught becomes one line and kFailedExit.
inline int run_program(int argc, char** argv, int (*run)(int argc, char** argv)) {
  raise_descriptor_limit();
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "error: " << failure.what() << '\n';
    return kFailedExit;
  }
}

}  // namespace parley::config
